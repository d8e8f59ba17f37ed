package io.holdfast.manager.varlink;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.access.Permission.Question;
import io.holdfast.manager.access.Permission.Verb;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.systemd1.property.FileStates;
import io.holdfast.manager.systemd1.property.UnitFaces;
import io.holdfast.manager.systemd1.property.UnitProperties.Files;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.UnitMarker;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitDetails;
import io.holdfast.manager.view.UnitView;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.MethodOption;
import io.holdfast.varlink.server.Service;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code io.systemd.Unit}: the units as {@link PropertyStructs} writes their D-Bus properties, and
 * requests that make units.
 */
final class UnitService {
    static final String NAME = "io.systemd.Unit";

    private final Interface definition = SystemdCalls.definition(NAME);
    private final PropertyStructs structs = new PropertyStructs(definition);
    private final SystemdCalls calls;
    private final ManagerView manager;
    private final Map<Long, Integer> lists = new ConcurrentHashMap<>(); // under way, by user

    UnitService(SystemdCalls calls) {
        this.calls = calls;
        this.manager = calls.manager();
    }

    Service service() {
        return Service.of(definition)
                .method("List", this::list)
                .method("SetProperties", this::setProperties)
                .asyncMethod(
                        "StartTransient",
                        new TransientStart(definition, calls, this)::start,
                        MethodOption.TAKES_DESCRIPTORS)
                .build();
    }

    // ---- describing units

    /**
     * Returns the context and the runtime of a unit. Called on the loop; completes there.
     *
     * @param user who asks
     */
    CompletableFuture<JsonObject> describe(UnitView view, long user) {
        return describe(view, new FileStates(manager), user);
    }

    private CompletableFuture<JsonObject> describe(UnitView view, FileStates states, long user) {
        return manager.workFor(user, () -> states.of(view.unit().name(), view))
                .thenApply(files -> json(view, files));
    }

    /** Describes the present state: it may have changed while the files were checked. */
    private JsonObject json(UnitView before, Files files) {
        UnitView view = manager.unit(before.unit().name()).orElse(before);
        Map<String, Variant> properties = UnitFaces.values(new Subject(view, manager, files));
        return JsonObject.builder()
                .put("context", write("UnitContext", view, properties))
                .put("runtime", write("UnitRuntime", view, properties))
                .build();
    }

    /** Returns the runtime of a loaded unit, without what its files say. Called on the loop. */
    JsonObject runtime(UnitView view) {
        return write(
                "UnitRuntime", view, UnitFaces.values(new Subject(view, manager, Files.UNKNOWN)));
    }

    private JsonObject write(String struct, UnitView view, Map<String, Variant> properties) {
        Map<String, ProcessId> processes = new HashMap<>();
        view.status().mainProcess().ifPresent(main -> processes.put("MainPID", main));
        view.typed()
                .flatMap(UnitDetails::control)
                .ifPresent(control -> processes.put("ControlPID", control));
        return structs.write(struct, view.unit().name().type().section(), properties, processes);
    }

    // ---- List

    /** May wait: called on a thread of its own. */
    private JsonObject list(Call call) throws Exception {
        Optional<UnitView> chosen = chosen(call);
        if (chosen.isPresent()) {
            return SystemdCalls.await(
                    calls.onLoop(() -> describe(chosen.get(), call.peer().uid())));
        }
        if (!call.wantsMore()) {
            throw VarlinkException.expectedMore();
        }
        return all(call);
    }

    /**
     * Sends all units. A list that its caller does not read holds one described unit; the number of
     * such lists is limited.
     */
    private JsonObject all(Call call) throws Exception {
        long user = call.peer().uid();
        int underWay = lists.merge(user, 1, Integer::sum);
        try {
            if (underWay > ManagerLimits.UNIT_LISTS.intValue() && !Permission.isOwner(user)) {
                throw UnitErrors.system(Errno.EBUSY);
            }
            return each(call);
        } finally {
            var _ = lists.computeIfPresent(user, (_, count) -> count == 1 ? null : count - 1);
        }
    }

    /** Sends all units but the last one, which is the last reply. */
    private JsonObject each(Call call) throws Exception {
        List<UnitName> names =
                SystemdCalls.await(
                        calls.onLoop(() -> CompletableFuture.completedFuture(manager.names())));
        FileStates files = new FileStates(manager);
        UnitView last = null;
        for (UnitName name : names) {
            Optional<UnitView> view =
                    SystemdCalls.await(
                            calls.onLoop(
                                    () -> CompletableFuture.completedFuture(manager.unit(name))));
            if (view.isEmpty()) {
                continue; // unloaded meanwhile
            }
            if (last != null) {
                JsonObject unit = described(last, files, call.peer().uid());
                if (!call.send(unit)) {
                    return unit; // the caller is gone
                }
            }
            last = view.get();
        }
        if (last == null) {
            throw UnitErrors.of("NoSuchUnit");
        }
        return described(last, files, call.peer().uid());
    }

    private JsonObject described(UnitView view, FileStates files, long user) throws Exception {
        return SystemdCalls.await(calls.onLoop(() -> describe(view, files, user)));
    }

    // ---- SetProperties

    /** Sets a unit's markers; refuses all other properties, as systemd does. */
    private JsonObject setProperties(Call call) throws Exception {
        JsonObject properties = call.parameters().object("properties");
        for (String property : properties.fields().keySet()) {
            if (!property.equals("Markers")) {
                throw UnitErrors.propertyNotSupported(property);
            }
        }
        List<UnitMarker.Change> changes =
                properties.optionalStrings("Markers").map(UnitService::change).stream().toList();
        UnitName unit = usable(call, call.parameters().string("name")).unit().name();
        Question question =
                SystemdCalls.question(
                        call, Permission.MANAGE_UNITS, Verb.SET_PROPERTY.details(unit));
        return SystemdCalls.await(
                calls.permitted(
                        call,
                        question,
                        () -> manager.mark(unit, changes).thenApply(_ -> JsonObject.EMPTY)));
    }

    /** No words remove all markers here, and nothing over D-Bus. */
    private static UnitMarker.Change change(List<String> words) {
        try {
            return words.isEmpty() ? UnitMarker.Change.NONE : UnitMarker.Change.parse(words);
        } catch (IllegalArgumentException e) {
            throw VarlinkException.invalidParameter("properties");
        }
    }

    // ---- the unit that the parameters choose

    /** Returns the unit that all parameters are about; empty if there is none. */
    private Optional<UnitView> chosen(Call call) throws Exception {
        JsonObject parameters = call.parameters();
        List<UnitName> found = new ArrayList<>();
        Optional<String> name = parameters.optionalString("name");
        UnitView named = null;
        if (name.isPresent()) {
            named = usable(call, name.get());
            found.add(named.unit().name());
        }
        Optional<JsonObject> process = parameters.optionalObject("pid");
        if (process.isPresent()) {
            found.add(ofProcess(call, process.get()));
        }
        Optional<String> cgroup = parameters.optionalString("cgroup");
        if (cgroup.isPresent()) {
            found.add(ofCgroup(cgroup.get()));
        }
        Optional<String> invocation = parameters.optionalString("invocationID");
        if (invocation.isPresent()) {
            found.add(ofInvocation(invocation.get()));
        }
        if (found.stream().distinct().count() > 1) {
            throw UnitErrors.of("NoSuchUnit");
        }
        if (named != null || found.isEmpty()) {
            return Optional.ofNullable(named);
        }
        return Optional.of(read(call, found.getFirst()));
    }

    private UnitView read(Call call, UnitName name) throws Exception {
        return SystemdCalls.await(calls.onLoop(() -> manager.read(name, call.peer().uid())));
    }

    /** Returns a unit that is loaded, or can be. */
    private UnitView usable(Call call, String text) throws Exception {
        UnitName name =
                UnitName.parse(text)
                        .filter(valid -> !valid.isTemplate())
                        .orElseThrow(() -> VarlinkException.invalidParameter("name"));
        UnitView view = read(call, name);
        requireUsable(view);
        return view;
    }

    static void requireUsable(UnitView view) {
        switch (view.status().loadState()) {
            case "not-found" -> throw UnitErrors.of("NoSuchUnit");
            case "masked" -> throw UnitErrors.of("UnitMasked");
            case "bad-setting", "error" -> throw UnitErrors.of("UnitError");
            default -> {}
        }
    }

    /** PID 0 is the caller, which is held since it connected. */
    private UnitName ofProcess(Call call, JsonObject id) throws Exception {
        PidFd process =
                id.integer("pid") != 0
                        ? held(id)
                        : call.peer() instanceof Peer.Held held ? held.process().duplicate() : null;
        if (process == null) {
            throw UnitErrors.noSuchUnit("pid");
        }
        Optional<Workload> workload;
        try {
            workload = SystemdCalls.await(workloadOf(process, call.peer().uid()));
        } catch (ErrnoException e) {
            workload = Optional.empty(); // it has ended
        }
        return workload.map(Workload::unit).orElseThrow(() -> UnitErrors.noSuchUnit("pid"));
    }

    /**
     * @param process closed when the answer is there, even if the call no longer waits for it
     */
    private CompletableFuture<Optional<Workload>> workloadOf(PidFd process, long user) {
        return manager.workloadOf(process, user)
                .whenComplete((_, _) -> process.close())
                .toCompletableFuture();
    }

    /** Holds a process; returns null if it does not exist. */
    private static @Nullable PidFd held(JsonObject json) {
        ProcessId id;
        try {
            id =
                    new ProcessId(
                            Math.toIntExact(json.integer("pid")),
                            json.optionalInteger("pidfdId"),
                            json.optionalString("bootId").map(UUID::fromString));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw VarlinkException.invalidParameter("pid");
        }
        try {
            return id.pidfdId().isPresent() ? PidFd.restore(id) : PidFd.find(id.pid()).orElse(null);
        } catch (ErrnoException | NotSupportedException e) {
            return null;
        }
    }

    private UnitName ofCgroup(String text) throws Exception {
        CgroupPath path;
        try {
            path = new CgroupPath(text);
        } catch (IllegalArgumentException e) {
            throw VarlinkException.invalidParameter("cgroup");
        }
        return SystemdCalls.await(
                        calls.onLoop(() ->
                                CompletableFuture.completedFuture(manager.cgroups().unitOf(path))))
                .orElseThrow(() -> UnitErrors.noSuchUnit("cgroup"));
    }

    private UnitName ofInvocation(String text) throws Exception {
        String id = text.replace("-", "");
        if (!id.matches("[0-9a-f]{32}")) {
            throw VarlinkException.invalidParameter("invocationID");
        }
        return SystemdCalls.await(
                        calls.onLoop(
                                () -> CompletableFuture.completedFuture(manager.ofInvocation(id))))
                .orElseThrow(() -> UnitErrors.noSuchUnit("invocationID"));
    }
}
