package io.holdfast.authority.client;

import static java.util.Objects.requireNonNull;

import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.MethodOption;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** A stand-in for an authority, whose answers the test provides. */
final class StandIn {
    /**
     * A check as the authority received it.
     *
     * @param pid the PID of the process whose pidfd came with it
     */
    record Check(
            int pid,
            long uid,
            String action,
            Map<String, String> details,
            boolean interactive,
            boolean always,
            boolean explain) {}

    private static final Interface DEFINITION =
            Interface.parse(
                    """
                    interface io.holdfast.Authority
                    type Step (topic: string, text: string, place: ?string)
                    method Check(
                      action: string,
                      subject: int,
                      uid: int,
                      details: ?[string]string,
                      allowInteractiveAuthentication: ?bool,
                      always: ?bool,
                      explain: ?bool
                    ) -> (
                      isAuthorized: bool,
                      isChallenge: bool,
                      details: [string]string,
                      explanation: ?[]Step
                    )
                    """);

    private StandIn() {}

    // ---- Varlink

    /** Serves on a socket, as Holdfast's authority does. */
    static VarlinkServer onVarlink(
            Path socket, Function<Check, CompletableFuture<Decision>> answers) {
        VarlinkServer server =
                VarlinkServer.builder()
                        .limits(ServerLimits.small())
                        .identity("Holdfast", "test", "1", "")
                        .service(
                                Service.of(DEFINITION)
                                        .asyncMethod(
                                                "Check",
                                                call ->
                                                        answers.apply(check(call))
                                                                .thenApply(StandIn::json),
                                                MethodOption.TAKES_DESCRIPTORS)
                                        .build())
                        .build();
        server.listen(UnixAddress.path(socket));
        return server;
    }

    private static Check check(Call call) {
        JsonObject parameters = call.parameters();
        Map<String, String> details = new LinkedHashMap<>();
        parameters
                .optionalObject("details")
                .ifPresent(given ->
                        given.fields()
                                .keySet()
                                .forEach(key -> details.put(key, given.string(key))));
        Fd descriptor = call.takeDescriptor((int) parameters.integer("subject")).orElseThrow();
        try (PidFd process = PidFd.adopt(descriptor)) {
            return new Check(
                    process.pid(),
                    parameters.integer("uid"),
                    parameters.string("action"),
                    details,
                    parameters.bool("allowInteractiveAuthentication", false),
                    parameters.bool("always", false),
                    parameters.bool("explain", false));
        }
    }

    private static JsonObject json(Decision decision) {
        JsonObject.Builder details = JsonObject.builder();
        decision.details().forEach(details::put);
        JsonObject.Builder reply =
                JsonObject.builder()
                        .put("isAuthorized", decision.isAuthorized())
                        .put("isChallenge", decision.isChallenge())
                        .put("details", details.build());
        decision.explanation()
                .ifPresent(explanation ->
                        reply.put(
                                "explanation",
                                explanation.steps().stream()
                                        .map(step ->
                                                JsonObject.builder()
                                                        .put("topic", step.topic())
                                                        .put("text", step.text())
                                                        .put("place", step.place())
                                                        .build())
                                        .toList()));
        return reply.build();
    }

    // ---- D-Bus

    /** Owns polkit's name on a bus. */
    static BusConnection onBus(BusAddress bus, Function<Check, CompletableFuture<Decision>> answers)
            throws InterruptedException {
        BusConnection connection = BusConnection.connect(bus.toString());
        connection.export(
                Authority.OBJECT_PATH,
                BusInterface.named(Authority.BUS_INTERFACE)
                        .concurrent()
                        .method(
                                "CheckAuthorization",
                                "(sa{sv})sa{ss}us",
                                "(bba{ss})",
                                call -> reply(answers.apply(check(call)).get()))
                        .build());
        var _ = connection.requestName(Authority.BUS_NAME);
        return connection;
    }

    private static Check check(MethodCall call) {
        Struct subject = (Struct) call.arguments().get(0);
        Map<?, ?> parts = (Map<?, ?>) subject.get(1);
        Map<String, String> details = new LinkedHashMap<>();
        ((Map<?, ?>) call.arguments().get(2))
                .forEach((key, value) -> details.put((String) key, (String) value));
        long flags = ((Number) call.arguments().get(3)).longValue();
        Fd descriptor = call.descriptor((Handle) part(parts, "pidfd")).duplicate();
        try (PidFd process = PidFd.adopt(descriptor)) {
            return new Check(
                    process.pid(),
                    Integer.toUnsignedLong((Integer) part(parts, "uid")),
                    (String) call.arguments().get(1),
                    details,
                    (flags & 1) != 0,
                    (flags & 2) != 0,
                    false);
        }
    }

    private static Object part(Map<?, ?> parts, String key) {
        return ((Variant) requireNonNull(parts.get(key), key)).value();
    }

    private static List<?> reply(Decision decision) {
        return List.of(
                Struct.of(decision.isAuthorized(), decision.isChallenge(), decision.details()));
    }
}
