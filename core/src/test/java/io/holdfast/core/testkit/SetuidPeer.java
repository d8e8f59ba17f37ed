package io.holdfast.core.testkit;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.UnixSocket;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * A process of a plain user that connects to a socket and becomes root afterwards: the attack of
 * CVE-2011-1485 and CVE-2013-4288 on whoever judges a peer by its user of now. The test speaks over
 * a copy of its connection, whose peer is that process. Needs root, Perl and setpriv(1), and a file
 * system with set-uid programs.
 */
public final class SetuidPeer implements AutoCloseable {
    /** How it becomes root. */
    public enum Way {
        /** It executes a set-uid program, and keeps its real user. */
        EFFECTIVE,
        /** It executes a set-uid program that becomes root in all ids, as su(1) does. */
        WHOLE,
        /** It calls setresuid(2): it was root before it connected, and kept that as saved user. */
        SAVED
    }

    private static final String SCRIPT =
            """
            use Socket;
            my ($path, $uid, $saved, @program) = @ARGV;
            my $arm = `uname -m` =~ /aarch64/;
            $) = "$uid $uid";
            syscall($arm ? 149 : 119, $uid + 0, $uid + 0, $uid + 0) == 0 or die "setresgid: $!";
            syscall($arm ? 147 : 117, $uid + 0, $uid + 0, $saved + 0) == 0 or die "setresuid: $!";
            $^F = 255; # the connection survives an exec
            socket my $socket, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
            connect $socket, sockaddr_un($path) or die "connect: $!";
            syswrite STDOUT, fileno($socket) . "\\n";
            sysread STDIN, my $go, 1;
            if (@program) { exec { $program[0] } @program or die "exec: $!" }
            syscall($arm ? 147 : 117, 0, 0, 0) == 0 or die "setresuid: $!";
            sleep 1000 while 1;
            """;

    private final Child child;
    private final int number;
    private final Way way;

    private SetuidPeer(Child child, int number, Way way) {
        this.child = child;
        this.number = number;
        this.way = way;
    }

    /**
     * Starts the process, and waits until it has connected.
     *
     * @param folder where it finds set-uid programs, which are made there, for that user alone; the
     *     user must be able to enter it
     * @param socket the path of a stream socket that listens
     */
    public static SetuidPeer connect(Path folder, Path socket, long user, Way way)
            throws IOException {
        Child child =
                Spawn.of("perl", "-e", SCRIPT, socket.toString(), Long.toString(user))
                        .arguments(List.of(way == Way.SAVED ? "0" : Long.toString(user)))
                        .arguments(
                                switch (way) {
                                    case EFFECTIVE ->
                                            List.of(setuid(folder, "sleep", user), "1000");
                                    case WHOLE ->
                                            List.of(
                                                    setuid(folder, "setpriv", user),
                                                    "--reuid=0",
                                                    "--regid=0",
                                                    "--clear-groups",
                                                    "sleep",
                                                    "1000");
                                    case SAVED -> List.of();
                                })
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start();
        String line =
                new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.US_ASCII))
                        .readLine();
        if (line == null) {
            child.close();
            throw new IOException("the peer has not connected to " + socket);
        }
        return new SetuidPeer(child, Integer.parseInt(line), way);
    }

    private static String setuid(Path folder, String program, long user) throws IOException {
        Path copies = Files.createDirectories(folder.resolve("setuid"));
        Files.setPosixFilePermissions(copies, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path copy = copies.resolve(program + "-" + user);
        if (!Files.exists(copy)) {
            Path _ = Files.copy(Path.of("/usr/bin", program), copy);
            Files.setAttribute(copy, "unix:gid", (int) user);
            Files.setAttribute(copy, "unix:mode", 04750);
        }
        return copy.toString();
    }

    /** The process, lent. */
    public PidFd process() {
        return child.pidFd();
    }

    /** A copy of its connection (pidfd_getfd(2)); the caller closes it. */
    public UnixSocket connection() {
        return UnixSocket.adopt(child.pidFd().getFd(number));
    }

    /** Becomes root, and waits until the kernel shows it. */
    public void becomeRoot() throws IOException {
        child.stdin().write('\n');
        child.stdin().flush();
        Await.until(this::isRoot);
    }

    private boolean isRoot() {
        Credentials ids = child.pidFd().info().credentials().orElseThrow();
        return ids.effectiveUid() == 0 && (way == Way.EFFECTIVE || ids.realUid() == 0);
    }

    @Override
    public void close() {
        try (child) {
            boolean _ = child.signal(Signal.KILL);
            var _ = child.onExit().join();
        } catch (ErrnoException e) {
            throw new AssertionError(e); // nobody else reaps it
        }
    }
}
