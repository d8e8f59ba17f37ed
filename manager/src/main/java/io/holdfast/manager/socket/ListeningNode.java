package io.holdfast.manager.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.Links;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.DirectoryEntry;
import io.holdfast.core.file.folder.SocketFile;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.socket.ListeningSocket.Owner;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import java.io.IOException;
import java.util.Optional;

/**
 * Opens sockets and FIFOs that have a name in the file system. The directory may belong to a user
 * who replaces its entries meanwhile; therefore every step works in a directory that is held open,
 * and on the descriptor of the very file. Blocking.
 */
final class ListeningNode {
    private static final int PERMISSIONS = 0777;

    /** The mode of a FIFO before it gets its owner and permissions. */
    private static final int FRESH_MODE = 0600;

    /**
     * Opens a FIFO for both directions: otherwise it would reach its end whenever the last writer
     * closes it.
     */
    private static final OpenHow FIFO =
            OpenHow.readingAndWriting().kinds(FileKind.FIFO).links(Links.REFUSED);

    private ListeningNode() {}

    /** Binds a socket in the place of a dead one, gives it to its owner, and then listens. */
    static ListeningSocket socket(Listen listen, String path, SocketSection settings, Owner owner)
            throws IOException {
        Directory.make(Directory.parentOf(path), settings.directoryMode()).close();
        Fd fd = ListeningSocket.unixSocket(listen, settings);
        SocketFile file = null;
        try {
            file = SocketFile.at(path);
            bind(file, fd);
            file.setOwnerAndMode(owner.uid(), owner.gid(), settings.mode() & PERMISSIONS);
            ListeningSocket.listen(listen, fd, settings);
            file.requireInPlace();
            return new ListeningSocket(listen, fd, Optional.of(file.entry()));
        } catch (RuntimeException e) {
            if (file != null) {
                file.removeIfSame();
                file.close();
            }
            fd.close();
            throw e;
        }
    }

    private static void bind(SocketFile file, Fd fd) {
        try {
            file.bindClosed(fd);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EADDRINUSE) {
                throw e;
            }
            throw new ErrnoException(
                    "bind",
                    file.path(),
                    Errno.EADDRINUSE,
                    "address in use by another process, or not a socket");
        }
    }

    /** Makes a FIFO, or takes over an existing one of this manager, and gives it to its owner. */
    static ListeningSocket fifo(Listen listen, String path, SocketSection settings, Owner owner)
            throws IOException {
        String name = Directory.nameOf(path);
        Directory directory = Directory.make(Directory.parentOf(path), settings.directoryMode());
        boolean made = false;
        OpenedFile opened = null;
        try {
            made = directory.makeFifo(name, FRESH_MODE);
            opened = directory.open(name, FIFO);
            requireOurs(opened.stat(), path, owner);
            setOwnerAndMode(opened, owner, settings.mode() & PERMISSIONS);
            DirectoryEntry entry = new DirectoryEntry(directory, name, opened.stat());
            return new ListeningSocket(listen, opened.take(), Optional.of(entry));
        } catch (IOException | RuntimeException e) {
            if (made) {
                removeAfter(e, directory, name);
            }
            if (opened != null) {
                opened.close();
            }
            directory.close();
            throw e;
        }
    }

    private static void requireOurs(FileStatus stat, String path, Owner owner) {
        boolean ours = stat.uid() == Unistd.geteuid() || stat.uid() == owner.uid();
        if (!ours) {
            throw new ErrnoException(
                    "open", path, Errno.EEXIST, "it belongs to user " + stat.uid());
        }
    }

    private static void setOwnerAndMode(OpenedFile fifo, Owner owner, int mode) throws IOException {
        boolean others =
                (owner.uid() >= 0 && owner.uid() != fifo.stat().uid())
                        || (owner.gid() >= 0 && owner.gid() != fifo.stat().gid());
        if (others) {
            fifo.chown(owner.uid(), owner.gid());
        }
        if (fifo.stat().permissions() != mode) {
            fifo.chmod(mode);
        }
    }

    private static void removeAfter(Exception failure, Directory directory, String name) {
        try {
            boolean _ = directory.remove(name);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }
}
