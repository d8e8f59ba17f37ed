package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.systemd1.caller.Broadcast;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.install.InstallRequest;
import io.holdfast.manager.unit.install.InstallRequest.Operation;
import io.holdfast.manager.unit.install.InstallResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The methods by which systemctl(1) enables, disables, masks and links unit files. */
final class UnitFileMethods {
    private static final long RUNTIME = 1; // flags of systemd's bus interface
    private static final long FORCE = 1 << 1;

    /** With whether the unit files carry information for their installation. */
    private static final String WITH_INFO = "ba(sss)";

    private static final String CHANGES = "a(sss)";

    private record Method(
            String name, String in, String out, Function<MethodCall, InstallRequest> request) {}

    private static final List<Method> METHODS =
            List.of(
                    new Method("EnableUnitFiles", "asbb", WITH_INFO, plain(Operation.ENABLE)),
                    new Method(
                            "EnableUnitFilesWithFlags", "ast", WITH_INFO, flags(Operation.ENABLE)),
                    new Method("DisableUnitFiles", "asb", CHANGES, plain(Operation.DISABLE)),
                    new Method(
                            "DisableUnitFilesWithFlags", "ast", CHANGES, flags(Operation.DISABLE)),
                    new Method(
                            "DisableUnitFilesWithFlagsAndInstallInfo",
                            "ast",
                            WITH_INFO,
                            flags(Operation.DISABLE)),
                    new Method("ReenableUnitFiles", "asbb", WITH_INFO, plain(Operation.REENABLE)),
                    new Method("LinkUnitFiles", "asbb", CHANGES, plain(Operation.LINK)),
                    new Method("PresetUnitFiles", "asbb", WITH_INFO, plain(Operation.PRESET)),
                    new Method(
                            "PresetUnitFilesWithMode",
                            "assbb",
                            WITH_INFO,
                            call -> request(call, preset(call.string(1)), texts(call), 2)),
                    new Method(
                            "PresetAllUnitFiles",
                            "sbb",
                            CHANGES,
                            call -> request(call, preset(call.string(0)), List.of(), 1)),
                    new Method(
                            "RevertUnitFiles",
                            "as",
                            CHANGES,
                            call -> InstallRequest.of(Operation.REVERT, texts(call))),
                    new Method("MaskUnitFiles", "asbb", CHANGES, plain(Operation.MASK)),
                    new Method("UnmaskUnitFiles", "asb", CHANGES, plain(Operation.UNMASK)),
                    new Method(
                            "AddDependencyUnitFiles", "asssbb", CHANGES, UnitFileMethods::adding),
                    new Method(
                            "SetDefaultTarget",
                            "sb",
                            CHANGES,
                            call ->
                                    new InstallRequest(
                                            Operation.SET_DEFAULT,
                                            List.of(call.string(0)),
                                            false,
                                            call.argument(1, Boolean.class))));

    private final ManagerView manager;
    private final Operations operations;
    private final Broadcast broadcast;

    UnitFileMethods(ManagerView manager, Operations operations, Broadcast broadcast) {
        this.manager = manager;
        this.operations = operations;
        this.broadcast = broadcast;
    }

    void addTo(BusInterface.Builder builder) {
        METHODS.forEach(method ->
                builder.asyncMethod(
                        method.name(),
                        method.in(),
                        method.out(),
                        (call, reply) -> run(method, call, reply)));
        builder.asyncMethod(
                "GetUnitFileLinks", "sb", "as", this::links, "name", "runtime", "links");
    }

    private void links(MethodCall call, CompletableFuture<List<?>> reply) {
        UnitName name = Operations.name(call.string(0));
        boolean runtime = call.argument(1, Boolean.class);
        Runnable begin =
                () -> {
                    var _ =
                            manager.files()
                                    .links(name, runtime)
                                    .whenComplete((links, failure) -> {
                                        if (links == null) {
                                            Operations.fail(reply, failure);
                                        } else {
                                            reply.complete(List.of(links));
                                        }
                                    });
                };
        operations.onLoop(reply, begin).run();
    }

    // ---- requests

    private static Function<MethodCall, InstallRequest> plain(Operation operation) {
        return call -> request(call, operation, texts(call), 1);
    }

    /**
     * @param at the index of the argument that says whether the links are for this boot only
     */
    private static InstallRequest request(
            MethodCall call, Operation operation, List<String> files, int at) {
        boolean force = call.arguments().size() > at + 1 && call.argument(at + 1, Boolean.class);
        return new InstallRequest(operation, files, call.argument(at, Boolean.class), force);
    }

    private static Function<MethodCall, InstallRequest> flags(Operation operation) {
        return call -> {
            long flags = call.argument(1, Long.class);
            if ((flags & ~(RUNTIME | FORCE)) != 0) {
                throw Errors.invalid("Invalid 'flags' parameter '" + flags + "'");
            }
            return new InstallRequest(
                    operation, texts(call), (flags & RUNTIME) != 0, (flags & FORCE) != 0);
        };
    }

    private static Operation preset(String mode) {
        return switch (mode) {
            case "", "full" -> Operation.PRESET;
            case "enable-only" -> Operation.PRESET_ENABLE_ONLY;
            case "disable-only" -> Operation.PRESET_DISABLE_ONLY;
            default -> throw Errors.invalid("Preset mode '" + mode + "' is invalid");
        };
    }

    private static InstallRequest adding(MethodCall call) {
        Operation operation =
                switch (call.string(2)) {
                    case "Wants" -> Operation.ADD_WANTS;
                    case "Requires" -> Operation.ADD_REQUIRES;
                    default -> throw Errors.invalid("Invalid dependency type");
                };
        List<String> files = new ArrayList<>(texts(call));
        files.addFirst(call.string(1));
        return request(call, operation, files, 3);
    }

    private static List<String> texts(MethodCall call) {
        List<String> texts = new ArrayList<>();
        for (Object text : call.argument(0, List.class)) {
            texts.add((String) text);
        }
        return texts;
    }

    // ---- replies

    private void run(Method method, MethodCall call, CompletableFuture<List<?>> reply) {
        InstallRequest request = method.request().apply(call);
        Runnable begin =
                () -> {
                    var _ =
                            manager.files()
                                    .install(request)
                                    .whenComplete((result, failure) ->
                                            answer(method, result, failure, reply));
                };
        operations.permitted(
                call,
                Permission.MANAGE_UNIT_FILES,
                Map.of(),
                reply,
                operations.onLoop(reply, begin));
    }

    private void answer(
            Method method,
            @Nullable InstallResult result,
            @Nullable Throwable failure,
            CompletableFuture<List<?>> reply) {
        if (result == null) {
            Operations.fail(reply, failure);
            return;
        }
        if (result.isModified()) {
            broadcast.unitFilesChanged();
        }
        if (result.failure().isPresent()) {
            Operations.fail(reply, result.failure().get());
            return;
        }
        List<?> changes =
                result.changes().stream()
                        .map(each -> List.of(each.kind().word(), each.path(), each.source()))
                        .toList();
        reply.complete(
                method.out().equals(WITH_INFO)
                        ? List.of(result.carriesInstallInfo(), changes)
                        : List.of(changes));
    }
}
