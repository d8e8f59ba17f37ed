package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Container;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.Signature;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Answers the calls about the process behind a name. The process is passed as the pidfd that the
 * bus took from the connection at accept, never as one that was opened by PID.
 */
public final class CredentialsReply {
    private static final Signature BYTES = Signature.of("ay");
    private static final Signature DICTIONARY = Signature.of("a{sv}");
    private static final Signature HANDLE = Signature.of("h");
    private static final Signature OBJECT_PATH = Signature.of("o");
    private static final Signature STRING = Signature.of("s");
    private static final Signature UINT32 = Signature.of("u");
    private static final Signature UINT32S = Signature.of("au");

    private final NameRegistry names;
    private final BusFacts facts;
    private final BusMessages messages;

    public CredentialsReply(NameRegistry names, BusFacts facts, BusMessages messages) {
        this.names = names;
        this.facts = facts;
        this.messages = messages;
    }

    private Peer peer(MessageView call) throws BusErrorException {
        String name = Driver.text(call, 0);
        return name.equals(BusNames.BUS) ? facts.self() : names.owner(name).peer();
    }

    void user(Connection from, MessageView call) throws BusErrorException {
        int uid = (int) peer(call).uid();
        messages.reply(from, call, UINT32, null, body -> body.putUint32(uid));
    }

    void processId(Connection from, MessageView call) throws BusErrorException {
        int pid = peer(call).pid();
        if (pid <= 0) {
            throw new BusErrorException(
                    BusError.UNIX_PROCESS_ID_UNKNOWN,
                    Driver.text(call, 0) + ": no PID in the bus's PID namespace");
        }
        messages.reply(from, call, UINT32, null, body -> body.putUint32(pid));
    }

    void adtAuditData(Connection from, MessageView call) throws BusErrorException {
        Peer ignored = peer(call);
        throw new BusErrorException(
                BusError.ADT_AUDIT_DATA_UNKNOWN, "there is no Solaris audit data on Linux");
    }

    void selinuxContext(Connection from, MessageView call) throws BusErrorException {
        Peer peer = peer(call);
        if (!facts.selinux()) {
            throw new BusErrorException(
                    BusError.SELINUX_SECURITY_CONTEXT_UNKNOWN, "SELinux is off");
        }
        String label =
                peer.label()
                        .orElseThrow(() ->
                                new BusErrorException(
                                        BusError.SELINUX_SECURITY_CONTEXT_UNKNOWN,
                                        Driver.text(call, 0) + " has no SELinux label"));
        messages.reply(
                from,
                call,
                BYTES,
                null,
                body -> body.putBytes(label.getBytes(StandardCharsets.UTF_8)));
    }

    void all(Connection from, MessageView call) throws BusErrorException {
        Peer peer = peer(call);
        Connection connection = names.connection(Driver.text(call, 0));
        Container container = connection == null ? null : connection.container();
        PassedFds process = from.descriptorsPass() ? process(peer) : null;
        try {
            messages.reply(
                    from,
                    call,
                    DICTIONARY,
                    process,
                    body -> put(body, peer, process != null, container));
        } finally {
            if (process != null) {
                process.drop();
            }
        }
    }

    private static @Nullable PassedFds process(Peer peer) throws BusErrorException {
        PidFd held = peer.pidFd().orElse(null);
        if (held == null) {
            return null;
        }
        try {
            return new PassedFds(List.of(held.fd().duplicate()), Fd::close);
        } catch (ErrnoException e) {
            throw new BusErrorException(
                    BusError.FAILED,
                    "the descriptor of the process could not be copied: " + Errno.name(e.errno()));
        }
    }

    public static void put(
            BodyWriter body, Peer peer, boolean process, @Nullable Container container) {
        body.beginArray();
        if (peer.pid() > 0) {
            body.beginDictEntry().putString("ProcessID");
            body.beginVariant(UINT32).putUint32(peer.pid()).endVariant();
            body.endDictEntry();
        }
        body.beginDictEntry().putString("UnixUserID");
        body.beginVariant(UINT32).putUint32((int) peer.uid()).endVariant();
        body.endDictEntry();
        putGroups(body, peer);
        if (process) {
            body.beginDictEntry().putString("ProcessFD");
            body.beginVariant(HANDLE).putHandle(0).endVariant();
            body.endDictEntry();
        }
        peer.label().ifPresent(label -> putLabel(body, label));
        if (container != null) {
            putContainer(body, container);
        }
        body.endArray();
    }

    private static void putContainer(BodyWriter body, Container container) {
        body.beginDictEntry().putString(Container.INTERFACE + ".Instance");
        body.beginVariant(OBJECT_PATH).putObjectPath(container.path()).endVariant();
        body.endDictEntry();
        body.beginDictEntry().putString(Container.INTERFACE + ".Type");
        body.beginVariant(STRING).putString(container.type()).endVariant();
        body.endDictEntry();
        body.beginDictEntry().putString(Container.INTERFACE + ".Name");
        body.beginVariant(STRING).putString(container.name()).endVariant();
        body.endDictEntry();
    }

    private static void putGroups(BodyWriter body, Peer peer) {
        TreeSet<Long> groups = new TreeSet<>(peer.groups());
        boolean ignored = groups.add(peer.gid());
        body.beginDictEntry().putString("UnixGroupIDs");
        body.beginVariant(UINT32S).beginArray();
        groups.forEach(gid -> body.putUint32(gid.intValue()));
        body.endArray().endVariant();
        body.endDictEntry();
    }

    /** Writes the label's bytes and one NUL, which is part of the value. */
    private static void putLabel(BodyWriter body, String label) {
        byte[] text = label.getBytes(StandardCharsets.UTF_8);
        body.beginDictEntry().putString("LinuxSecurityLabel");
        body.beginVariant(BYTES).putBytes(java.util.Arrays.copyOf(text, text.length + 1));
        body.endVariant();
        body.endDictEntry();
    }
}
