package io.holdfast.cli.process;

import io.holdfast.cli.output.AccountText;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.socket.Peer;
import java.util.Optional;

/** A report about the process that listens on a socket, or owns a bus name. */
final class PeerReport {
    private static final long GID_UNKNOWN = 0xFFFF_FFFFL; // a bus does not report the effective GID

    private final String kind;
    private final String subject;
    private final String held;
    private final Peer peer;
    private final Optional<ProcessReport> process;

    private PeerReport(String kind, String subject, String held, Peer peer, Managers managers) {
        this.kind = kind;
        this.subject = subject;
        this.held = held;
        this.peer = peer;
        this.process = peer.pidFd().map(each -> ProcessReport.of(each, managers));
    }

    /** Creates a report about the listener on a socket. */
    static PeerReport ofSocket(String address, Peer peer, Managers managers) {
        String held =
                switch (peer) {
                    case Peer.Held _ -> "held since it began to listen (SO_PEERPIDFD)";
                    case Peer.BestEffort _ ->
                            "not held: this kernel reports a PID, but no pidfd (SO_PEERCRED)";
                    case Peer.Gone _ -> "exited before it could be held";
                };
        return new PeerReport("socket", address, held, peer, managers);
    }

    /** Creates a report about the owner of a bus name. */
    static PeerReport ofBusName(String name, Peer peer, Managers managers) {
        String held =
                switch (peer) {
                    case Peer.Held _ -> "held by the bus since it connected (ProcessFD)";
                    case Peer.BestEffort _ ->
                            "not held: this bus reports a PID, but no pidfd (ProcessID)";
                    case Peer.Gone _ -> "exited before it could be held";
                };
        return new PeerReport("name", name, held, peer, managers);
    }

    void print(Output output) {
        output.field(kind, subject);
        output.field("peer", held);
        peer.label().ifPresent(label -> output.field("label", label));
        process.ifPresentOrElse(
                known -> known.print(output),
                () -> {
                    output.field("pid", peer.pid() + " (PID only; it may have been reused)");
                    output.field("user", AccountText.user(peer.uid()));
                    if (peer.gid() != GID_UNKNOWN) {
                        output.field("group", AccountText.group(peer.gid()));
                    }
                });
    }

    JsonText json() {
        JsonText text =
                process.map(ProcessReport::json)
                        .orElseGet(() ->
                                JsonText.object().put("process", null).put("pid", peer.pid()));
        return text.put(kind.equals("name") ? "busName" : kind, subject)
                .put("held", peer instanceof Peer.Held)
                .put("peerUid", peer.uid())
                .put("peerGid", peer.gid() == GID_UNKNOWN ? null : peer.gid())
                .put("peerGroups", peer.groups())
                .put("label", peer.label());
    }
}
