package io.holdfast.manager;

import io.holdfast.core.Fd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What a manager knows of a process, found by a descriptor that holds it: the answer cannot belong
 * to another process that has its number by now.
 *
 * <p>The unit is one of this manager, known by its cgroup's id. Slice and session are names in the
 * path of the cgroup, and there only if root alone could have given them ({@link
 * io.holdfast.core.process.CgroupPlace}); the path itself may hold names that others chose. The
 * user and group are those of this moment, for people: a decision about a peer takes those of its
 * connection ({@link io.holdfast.core.socket.Peer}).
 *
 * <pre>{@code
 * try (VarlinkClient manager = VarlinkClient.connect("unix:/run/holdfast/io.holdfast.Manager")) {
 *     WorkloadIdentity who = WorkloadIdentity.ask(manager, socket.fd());
 *     IO.println(who.unit());
 * }
 * }</pre>
 *
 * @param process its name within the boot
 * @param uid its effective user at that moment
 * @param gid its effective group at that moment
 * @param unit the manager's unit that it belongs to; a missing one proves nothing
 * @param invocationId 32 hexadecimal digits of that unit's run
 * @param slice the unit's; of a process of no unit the last slice that its cgroup is in, if that is
 *     believed
 * @param session the login session that its cgroup is in, if that is believed
 * @param cgroup the path of its cgroup as the manager sees it
 */
public record WorkloadIdentity(
        ProcessId process,
        OptionalLong uid,
        OptionalLong gid,
        Optional<UnitName> unit,
        Optional<String> invocationId,
        Optional<String> slice,
        Optional<String> session,
        Optional<String> cgroup) {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /**
     * Asks a manager, in one round trip.
     *
     * @param descriptor lent: a pidfd, or a connected AF_UNIX socket, whose peer is meant
     * @throws io.holdfast.varlink.VarlinkException {@code io.holdfast.Manager.NoSuchProcess} if the
     *     process is gone or not held, InvalidParameter if the descriptor is something else
     * @throws io.holdfast.varlink.client.ConnectionLostException if the connection is lost
     */
    public static WorkloadIdentity ask(VarlinkClient manager, Fd descriptor) {
        try (Reply reply =
                manager.call(
                        "io.holdfast.Manager.WhoIs",
                        JsonObject.of("pidfd", 0),
                        PATIENCE,
                        List.of(descriptor))) {
            return of(reply.parameters());
        }
    }

    private static WorkloadIdentity of(JsonObject reply) {
        JsonObject id = reply.object("id");
        return new WorkloadIdentity(
                new ProcessId(
                        Math.toIntExact(id.integer("pid")),
                        id.optionalInteger("pidfdId"),
                        id.optionalString("bootId").map(UUID::fromString)),
                reply.optionalInteger("uid"),
                reply.optionalInteger("gid"),
                reply.optionalString("unit").map(UnitName::of),
                reply.optionalString("invocationId"),
                reply.optionalString("slice"),
                reply.optionalString("session"),
                reply.optionalString("cgroup"));
    }
}
