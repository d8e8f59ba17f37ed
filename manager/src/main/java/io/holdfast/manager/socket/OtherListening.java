package io.holdfast.manager.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysMqueue;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysNetlink;
import io.holdfast.manager.socket.ListeningSocket.Owner;
import io.holdfast.manager.unit.section.SocketOption;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.value.ListenAddress;
import java.io.IOException;
import java.util.Optional;

/** Opens what a socket unit waits on and is no socket with an address. Blocking. */
final class OtherListening {
    private OtherListening() {}

    static ListeningSocket netlink(
            Listen listen, ListenAddress.Netlink address, SocketSection settings) {
        Fd fd = Fd.adopt(SysNetlink.socket(address.family()), "socket", listen);
        try {
            SocketOptions.beforeBind(listen, fd, settings);
            ErrnoException.check(SysNetlink.bind(fd, address.groups()), "bind", listen);
            return new ListeningSocket(listen, fd, Optional.empty());
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /** Opens a character device, or a file of the kernel that can be waited on. */
    static ListeningSocket special(Listen listen, String path, SocketSection settings)
            throws IOException {
        OpenHow how =
                settings.has(SocketOption.WRITABLE)
                        ? OpenHow.readingAndWriting()
                        : OpenHow.reading();
        OpenedFile file =
                OpenedFile.open(path, how.kinds(FileKind.CHARACTER_DEVICE, FileKind.REGULAR));
        return new ListeningSocket(listen, file.take(), Optional.empty());
    }

    /** Opens a message queue, or makes it; one of another user is refused. */
    static ListeningSocket queue(Listen listen, String name, SocketSection settings, Owner owner) {
        int flags = Fcntl.O_RDONLY | Fcntl.O_CREAT | Fcntl.O_NONBLOCK;
        int opened =
                SysMqueue.open(
                        name,
                        flags,
                        settings.mode(),
                        settings.number(SocketOption.QUEUE_MESSAGES),
                        settings.number(SocketOption.QUEUE_MESSAGE_SIZE));
        Fd fd = Fd.adopt(opened, "mq_open", name);
        try {
            long uid = SysStat.stat(fd).uid();
            if (uid != Unistd.geteuid() && uid != owner.uid()) {
                throw new ErrnoException(
                        "mq_open", name, Errno.EEXIST, "it belongs to user " + uid);
            }
            ErrnoException.check(SysStat.fchmod(fd, settings.mode()), "fchmod", name);
            if (owner.uid() >= 0 || owner.gid() >= 0) {
                ErrnoException.check(SysStat.fchown(fd, owner.uid(), owner.gid()), "fchown", name);
            }
            return new ListeningSocket(listen, fd, Optional.empty());
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }
}
