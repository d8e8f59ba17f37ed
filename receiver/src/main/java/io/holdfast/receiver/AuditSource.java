package io.holdfast.receiver;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.socket.SysNetlink;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.journal.Field;
import io.holdfast.receiver.input.AuditRecord;
import java.util.List;
import java.util.function.Consumer;

/**
 * The kernel's audit, as everybody with CAP_AUDIT_READ may follow it beside auditd (netlink(7), the
 * multicast group of NETLINK_AUDIT). Whether the kernel audits at all is not changed. Used on the
 * loop.
 */
final class AuditSource implements Intake.Source, AutoCloseable {
    private static final int NETLINK_AUDIT = 9;
    private static final int READ_LOG = 1; // bit of AUDIT_NLGRP_READLOG
    private static final int LONGEST = 1 << 16;
    private static final int BATCH = 128; // messages of one turn

    private final Fd socket;
    private final Intake intake;
    private final Consumer<String> warnings;
    private final EventLoop.Watch watch;
    private final byte[] buffer = new byte[LONGEST];

    /**
     * @param socket owned by the source
     */
    AuditSource(EventLoop loop, Fd socket, Intake intake, Consumer<String> warnings) {
        this.socket = socket;
        this.intake = intake;
        this.warnings = warnings;
        watch = loop.watch(socket, 0, _ -> intake.turn(this::receive));
    }

    /**
     * Opens a socket that receives the audit.
     *
     * @throws ErrnoException EPERM without CAP_AUDIT_READ, EPROTONOSUPPORT without audit in the
     *     kernel, ECONNREFUSED in some containers
     */
    static Fd open() {
        Fd socket = Fd.adopt(SysNetlink.socket(NETLINK_AUDIT), "socket", "the audit");
        int result = SysNetlink.bind(socket, READ_LOG);
        if (result < 0) {
            socket.close();
            throw new ErrnoException("bind", "the audit", -result);
        }
        return socket;
    }

    @Override
    public void listen(boolean whether) {
        watch.events(whether ? Readiness.IN : 0);
    }

    private void receive() {
        for (int i = 0; i < BATCH && !intake.isWaiting(); i++) {
            int size = SysSocket.recv(socket, buffer, 0, LONGEST, 0);
            if (size == -Errno.ENOBUFS) {
                warnings.accept("messages of the audit are lost: the socket was full");
                continue;
            }
            if (size <= 0) {
                return;
            }
            for (List<Field> entry : AuditRecord.parse(buffer, size)) {
                intake.takeOfKernel("audit", entry);
            }
        }
    }

    @Override
    public void close() {
        boolean _ = watch.cancel();
        socket.close();
    }
}
