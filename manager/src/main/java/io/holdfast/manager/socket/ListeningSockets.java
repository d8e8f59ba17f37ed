package io.holdfast.manager.socket;

import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.sys.SysMqueue;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.value.ListenAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** All sockets that one start of a socket unit has opened, in the order of its Listen lines. */
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
     * @param warnings receives one line for each failure that does not matter for the start; called
     *     on any thread
     * @throws IOException if a node cannot be made
     * @throws io.holdfast.core.ErrnoException as {@link ListeningSocket#open} says
     */
    static ListeningSockets open(SocketUnit unit, Consumer<String> warnings)
            throws IOException, UnknownAccountException, InterruptedException {
        SocketSection settings = unit.socket();
        ListeningSocket.Owner owner = ownerOf(settings.owner());
        ListeningSockets opened = new ListeningSockets(settings, warnings);
        try {
            for (Listen listen : settings.listens()) {
                ListeningSocket socket = ListeningSocket.open(listen, settings, owner);
                opened.sockets.add(socket);
                SocketOptions.afterwards(socket, settings, warnings);
            }
        } catch (IOException | RuntimeException e) {
            opened.removeIfWanted();
            opened.close();
            throw e;
        }
        opened.link();
        return opened;
    }

    /**
     * Takes over the sockets that a killed manager opened. Blocking.
     *
     * @param kept their descriptors, in the order of the Listen lines; closed with the result
     */
    static ListeningSockets restored(SocketUnit unit, List<Fd> kept, Consumer<String> warnings) {
        ListeningSockets restored = new ListeningSockets(unit.socket(), warnings);
        List<Listen> listens = unit.socket().listens();
        for (int i = 0; i < kept.size(); i++) {
            restored.sockets.add(ListeningSocket.restored(listens.get(i), kept.get(i)));
        }
        return restored;
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

    /** Makes the symbolic links; an existing link is replaced, but no other file. */
    private void link() {
        for (String link : settings.symlinks()) {
            try (Directory directory =
                    Directory.make(Directory.parentOf(link), settings.directoryMode())) {
                link(directory, Directory.nameOf(link));
            } catch (IOException e) {
                warnings.accept("cannot make a link: " + e.getMessage());
            }
        }
    }

    private void link(Directory directory, String name) throws IOException {
        String target = target();
        boolean made = directory.link(name, target);
        Optional<String> there = made ? Optional.of(target) : directory.linkTarget(name);
        if (!there.equals(Optional.of(target))) {
            made = there.isPresent() && directory.remove(name) && directory.link(name, target);
            if (!made) {
                warnings.accept(
                        directory.path()
                                + name
                                + ": cannot make the link: another file or link exists");
            }
        }
    }

    private String target() {
        return settings.nodes().getFirst();
    }

    List<ListeningSocket> all() {
        return List.copyOf(sockets);
    }

    /**
     * Removes the nodes and the links, if {@code RemoveOnStop=} is set. Otherwise they stay: a
     * process that still has a descriptor may continue to serve them. Blocking.
     */
    void removeIfWanted() {
        if (!settings.removeOnStop()) {
            return;
        }
        settings.symlinks().forEach(this::unlink);
        for (ListeningSocket socket : sockets) {
            if (socket.listen().address() instanceof ListenAddress.Queue(String name)) {
                int _ = SysMqueue.unlink(name); // it may be gone
            }
            socket.node()
                    .ifPresent(node -> {
                        try {
                            boolean _ = node.removeIfSame();
                        } catch (IOException e) {
                            warnings.accept("cannot remove its node: " + e.getMessage());
                        }
                    });
        }
    }

    /** Removes a link only if it leads to the node of this unit. */
    private void unlink(String link) {
        String name = Directory.nameOf(link);
        try (Directory directory = Directory.ofParent(link)) {
            if (directory.linkTarget(name).equals(Optional.of(target()))) {
                boolean _ = directory.remove(name);
            }
        } catch (FileException e) {
            if (!e.isMissing()) {
                warnings.accept("cannot remove a link: " + e.getMessage());
            }
        }
    }

    void close() {
        sockets.forEach(ListeningSocket::close);
    }
}
