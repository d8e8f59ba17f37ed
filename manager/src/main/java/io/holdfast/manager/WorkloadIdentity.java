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
 * What a manager knows of a process, found by a descriptor that holds the process: the answer
 * cannot belong to another process that has the same PID by now.
 *
 * <p>The unit is one of this manager, identified by the id of its cgroup. Slice and session are
 * names in the path of the cgroup, present only if root alone could have chosen them ({@link
 * io.holdfast.core.process.CgroupPlace}); the path itself may contain names that other users chose.
 * User and group are those at the time of the query, for display: a decision about a peer must use
 * its connect-time identity ({@link io.holdfast.core.socket.Peer}).
 *
 * <pre>{@code
 * try (VarlinkClient manager = VarlinkClient.connect("unix:/run/holdfast/io.holdfast.Manager")) {
 *     WorkloadIdentity who = WorkloadIdentity.query(manager, socket.fd());
 *     IO.println(who.unit());
 * }
 * }</pre>
 *
 * @param process its id within this boot
 * @param uid its effective user at the time of the query
 * @param gid its effective group at the time of the query
 * @param unit the manager's unit that it belongs to; if it is missing, that proves nothing
 * @param invocationId 32 hexadecimal digits of that unit's run
 * @param slice the slice of the unit; for a process without a unit, the innermost slice of its
 *     cgroup, if trusted
 * @param session the login session of its cgroup, if trusted
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
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /**
     * Queries a manager, in one round trip.
     *
     * @param descriptor a pidfd, or a connected AF_UNIX socket to ask about its peer; not closed
     * @throws io.holdfast.varlink.VarlinkException {@code io.holdfast.Manager.NoSuchProcess} if the
     *     process is gone or has no pidfd, InvalidParameter if the descriptor is of another kind
     * @throws io.holdfast.varlink.client.CallNotSentException if calls of other threads use the
     *     connection for too long
     * @throws io.holdfast.varlink.client.ServiceLostException if the connection is lost
     */
    public static WorkloadIdentity query(VarlinkClient manager, Fd descriptor) {
        try (Reply reply =
                manager.call(
                        "io.holdfast.Manager.WhoIs",
                        JsonObject.of("pidfd", 0),
                        TIMEOUT,
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
