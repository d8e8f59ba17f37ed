package io.holdfast.manager;

import io.holdfast.core.process.Accounts;
import io.holdfast.core.process.Accounts.Account;
import io.holdfast.core.process.Accounts.UnknownAccountException;
import io.holdfast.manager.unit.SocketSection;
import io.holdfast.manager.unit.SocketSection.Listen;
import io.holdfast.manager.unit.SocketUnit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** All that one start of a socket unit has opened, in the order of its Listen lines. */
final class ListeningSockets {
    private final SocketSection settings;
    private final List<ListeningSocket> sockets = new ArrayList<>();
    private final Consumer<String> warnings;

    private ListeningSockets(SocketSection settings, Consumer<String> warnings) {
        this.settings = settings;
        this.warnings = warnings;
    }

    /**
     * Opens all, or none. Blocking.
     *
     * @param warnings gets one line for each thing that could not be done and is not needed; called
     *     by any thread
     * @throws IOException if a node cannot be made
     * @throws io.holdfast.core.linux.ErrnoException as {@link ListeningSocket#open} says
     */
    static ListeningSockets open(SocketUnit unit, Consumer<String> warnings)
            throws IOException, UnknownAccountException, InterruptedException {
        SocketSection settings = unit.socket();
        ListeningSocket.Owner owner = ownerOf(settings.owner());
        ListeningSockets opened = new ListeningSockets(settings, warnings);
        try {
            for (Listen listen : settings.listens()) {
                opened.sockets.add(ListeningSocket.open(listen, settings, owner));
            }
        } catch (IOException | RuntimeException e) {
            opened.removeIfWanted();
            opened.close();
            throw e;
        }
        opened.link();
        return opened;
    }

    private static ListeningSocket.Owner ownerOf(SocketSection.Owner owner)
            throws UnknownAccountException, InterruptedException {
        long uid = ListeningSocket.Owner.OURS.uid();
        long gid = ListeningSocket.Owner.OURS.gid();
        if (owner.user().isPresent()) {
            Account account = Accounts.SYSTEM.user(owner.user().get());
            uid = account.uid();
            gid = account.gid();
        }
        if (owner.group().isPresent()) {
            gid = Accounts.SYSTEM.group(owner.group().get());
        }
        return new ListeningSocket.Owner(uid, gid);
    }

    private void link() {
        for (String link : settings.symlinks()) {
            Path path = Path.of(link);
            Path target = Path.of(settings.nodes().getFirst());
            try {
                if (Files.isSymbolicLink(path)) {
                    Files.delete(path);
                }
                if (path.getParent() != null) {
                    Path _ = Files.createDirectories(path.getParent());
                }
                Path _ = Files.createSymbolicLink(path, target);
            } catch (IOException e) {
                warnings.accept("cannot make the link " + link + ": " + e);
            }
        }
    }

    List<ListeningSocket> all() {
        return List.copyOf(sockets);
    }

    /**
     * Removes the nodes and the links that were made, if {@code RemoveOnStop=}: else who has a
     * descriptor still may go on to serve them. Blocking.
     */
    void removeIfWanted() {
        if (!settings.removeOnStop()) {
            return;
        }
        settings.symlinks().forEach(this::unlink);
        for (ListeningSocket socket : sockets) {
            socket.node()
                    .ifPresent(node -> {
                        try {
                            node.remove();
                        } catch (IOException e) {
                            warnings.accept("cannot remove " + node.path() + ": " + e);
                        }
                    });
        }
    }

    /** Only one that leads to our node. */
    private void unlink(String link) {
        Path path = Path.of(link);
        try {
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                    && Files.isSymbolicLink(path)
                    && Files.readSymbolicLink(path).equals(Path.of(settings.nodes().getFirst()))) {
                Files.delete(path);
            }
        } catch (IOException e) {
            warnings.accept("cannot remove the link " + link + ": " + e);
        }
    }

    /** Listens no longer. */
    void close() {
        sockets.forEach(ListeningSocket::close);
    }
}
