package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysFile;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class UnixListenerTest {
    private static final int BACKLOG = 16;

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private UnixAddress address(String name) {
        return UnixAddress.path(folder.resolve(name));
    }

    private UnixListener listen(String name) {
        return UnixListener.listen(address(name), SocketType.STREAM, BACKLOG);
    }

    private static void talk(UnixListener listener, UnixAddress address, SocketType type)
            throws InterruptedException {
        try (UnixSocket client = UnixSocket.connect(address, type);
                UnixSocket server = listener.accept()) {
            client.sendFully(Messages.of("question"));
            assertThat(Messages.receive(server)).isEqualTo("question");
            server.sendFully(Messages.of("answer"));
            assertThat(Messages.receive(client)).isEqualTo("answer");
            assertThat(server.type()).isEqualTo(type);
            assertThat(client.remoteAddress()).isEqualTo(address);
            assertThat(server.localAddress()).isEqualTo(address);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STREAM", "SEQPACKET"})
    void aClientIsAcceptedAtAPathAndAtAnAbstractName(SocketType type) throws InterruptedException {
        String unique = "holdfast-test-" + ProcessHandle.current().pid() + "-" + type;
        for (UnixAddress address : List.of(address("path"), UnixAddress.abstractName(unique))) {
            try (UnixListener listener = UnixListener.listen(address, type, BACKLOG)) {
                assertThat(listener.address()).isEqualTo(address);
                talk(listener, address, type);
            }
        }
    }

    @Test
    void anUnnamedListenerGetsAnAbstractName() throws InterruptedException {
        try (UnixListener listener =
                UnixListener.listen(UnixAddress.unnamed(), SocketType.STREAM, BACKLOG)) {
            assertThat(listener.address()).isInstanceOf(UnixAddress.AbstractName.class);
            talk(listener, listener.address(), SocketType.STREAM);
        }
    }

    @Test
    void aDatagramSocketDoesNotListenAndLeavesNoFile() {
        assertThatThrownBy(() ->
                        UnixListener.listen(address("datagrams"), SocketType.DATAGRAM, BACKLOG))
                .isInstanceOfAny(ErrnoException.class, IllegalArgumentException.class)
                .hasMessageContaining("DATAGRAM");
        assertThat(folder.resolve("datagrams")).doesNotExist();
    }

    @Test
    void theSocketFileIsRemovedAtClose() {
        UnixListener listener = listen("socket");
        assertThat(folder.resolve("socket")).exists();
        listener.close();
        assertThat(folder.resolve("socket")).doesNotExist();
        listener.close();
    }

    @Test
    void aSecondCloseDoesNotRemoveTheFileOfASuccessor() {
        UnixListener listener = listen("socket");
        listener.close();
        try (UnixListener successor = listen("socket")) {
            listener.close();
            assertThat(folder.resolve("socket")).exists();
            assertThat(successor.address()).isEqualTo(address("socket"));
        }
    }

    @Test
    void severalThreadsMayCloseAtOnce() throws Exception {
        int closers = 4;
        try (var threads = Executors.newFixedThreadPool(closers)) {
            for (int round = 0; round < ROUNDS; round++) {
                UnixListener listener = listen("socket");
                CyclicBarrier start = new CyclicBarrier(closers);
                List<Future<?>> closed = new ArrayList<>();
                for (int i = 0; i < closers; i++) {
                    closed.add(
                            threads.submit(() -> {
                                int _ = start.await();
                                listener.close();
                                return null;
                            }));
                }
                for (Future<?> one : closed) {
                    one.get();
                }
                assertThat(folder).isEmptyDirectory();
            }
        }
    }

    @Test
    void aSocketFileWithoutAListenerIsReplaced() throws InterruptedException {
        try (UnixListener first = listen("socket");
                Fd copy = first.fd().duplicate()) {
            UnixListener.adopt(copy).close(); // closes it, and leaves the file
            first.fd().close();
            assertThat(folder.resolve("socket")).exists();
            try (UnixListener second = listen("socket")) {
                talk(second, address("socket"), SocketType.STREAM);
            }
        }
    }

    @Test
    void aLiveListenerIsNotReplaced() throws InterruptedException {
        try (UnixListener first = listen("socket")) {
            assertThatThrownBy(() -> listen("socket"))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining(address("socket").toString())
                    .hasMessageContaining("EADDRINUSE (address in use)");
            assertThatThrownBy(() ->
                            UnixListener.listen(address("socket"), SocketType.SEQPACKET, BACKLOG))
                    .hasMessageContaining("EADDRINUSE");
            assertThat(nothingWaits(first)).as("nobody has connected").isTrue();
            talk(first, address("socket"), SocketType.STREAM);
        }
        try (UnixSocket datagrams = UnixSocket.bind(address("datagrams"))) {
            assertThatThrownBy(() -> listen("datagrams")).hasMessageContaining("EADDRINUSE");
            assertThat(datagrams.localAddress()).isEqualTo(address("datagrams"));
        }
    }

    @Test
    @Needs(programs = "perl")
    void aSocketThatIsBoundAndDoesNotListenYetIsNotReplaced() throws Exception {
        Path path = folder.resolve("socket");
        Process perl =
                new ProcessBuilder("perl", "-e", BINDER, path.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (var said = perl.inputReader();
                var commands = perl.outputWriter()) {
            assertThat(said.readLine()).isEqualTo("bound");
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> listen("socket"))
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageStartingWith("bind " + path + ": EADDRINUSE");
            }
            commands.write("listen\n");
            commands.flush();
            assertThat(said.readLine()).isEqualTo("listening");
            UnixSocket.connect(address("socket"), SocketType.STREAM).close();
        } finally {
            int _ = perl.waitFor(); // its input has ended
        }
        assertThat(path).exists();
        try (UnixListener heir = listen("socket")) {
            talk(heir, address("socket"), SocketType.STREAM);
        }
        assertThat(folder).isEmptyDirectory();
    }

    /** Binds to a path, and listens on request. */
    private static final String BINDER =
            "use Socket; $| = 1; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; "
                    + "bind($s, pack_sockaddr_un($ARGV[0])) or die; print qq{bound\n}; "
                    + "<STDIN> // exit; listen($s, 5) or die; print qq{listening\n}; <STDIN>";

    /** Runs with a descriptor table that is full once the file is bound. */
    static final class InAFullTable {
        private InAFullTable() {}

        public static void main(String[] arguments) throws Exception {
            UnixAddress address = UnixAddress.path(Path.of(arguments[0]));
            UnixListener.listen(address, SocketType.STREAM, BACKLOG, 0600).close(); // all is loaded
            FullTable.limit(100, UnixListener.class);
            FullTable.fill(2); // for the socket and its directory
            UnixListener.listen(address, SocketType.STREAM, BACKLOG).close(); // needs no third
            String said = "it listens";
            try {
                UnixListener.listen(address, SocketType.STREAM, BACKLOG, 0600).close();
            } catch (ErrnoException e) {
                said = e.errno() == Errno.EMFILE ? "EMFILE" : e.getMessage();
            }
            FullTable.empty();
            System.out.println(said);
        }
    }

    @Test
    void aListenerThatFailsForWantOfADescriptorLeavesNoFile() {
        ChildJvm.Result result =
                ChildJvm.run(List.of(), InAFullTable.class, folder.resolve("socket").toString());
        assertThat(result.output()).isEqualTo("EMFILE\n");
        assertThat(result.status()).isZero();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aLinkToADeadSocketIsNotReplaced() throws IOException {
        dead("dead");
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("dead"));
        assertThatThrownBy(() -> listen("link")).hasMessageContaining("EADDRINUSE");
        assertThat(link).isSymbolicLink();
        assertThat(folder.resolve("dead")).exists();
    }

    /** Makes a dead socket file. */
    private void dead(String name) {
        UnixListener listener = listen(name);
        listener.fd().close();
        listener.close();
        assertThat(folder.resolve(name)).exists();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void ofListenersThatRaceForADeadPathOneGetsIt(int racers) throws Exception {
        assertOneWins(racers);
    }

    @Test
    void aStrangerWhoKeepsTheFolderLockedLetsNoTwoListenersWin() throws Exception {
        try (Fd dir = Fcntl.open(folder.toString(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            assertThat(SysFile.tryLock(dir)).isZero();
            assertOneWins(4);
        }
    }

    private void assertOneWins(int racers) throws Exception {
        Path path = folder.resolve("socket");
        try (var threads = Executors.newFixedThreadPool(racers)) {
            for (int round = 0; round < ROUNDS; round++) {
                if (round % 2 == 0) {
                    dead("socket");
                }
                CyclicBarrier start = new CyclicBarrier(racers);
                List<Future<Optional<UnixListener>>> results = new ArrayList<>();
                for (int i = 0; i < racers; i++) {
                    results.add(
                            threads.submit(() -> {
                                int _ = start.await();
                                return tryListen("socket");
                            }));
                }
                List<UnixListener> winners = new ArrayList<>();
                for (Future<Optional<UnixListener>> result : results) {
                    result.get().ifPresent(winners::add);
                }
                assertThat(winners).as("round %d", round).hasSize(1);
                try (UnixListener winner = winners.getFirst()) {
                    talk(winner, address("socket"), SocketType.STREAM);
                }
                assertThat(path).doesNotExist();
            }
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aFolderThatStaysLockedDoesNotPreventTheReplacement() throws Exception {
        dead("socket");
        try (Fd dir = Fcntl.open(folder.toString(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            assertThat(SysFile.tryLock(dir)).isZero();
            try (UnixListener heir = listen("socket");
                    Fd another =
                            Fcntl.open(folder.toString(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
                assertThat(SysFile.tryLock(another)).as("it is locked").isEqualTo(-Errno.EAGAIN);
                talk(heir, address("socket"), SocketType.STREAM);
            }
            try (UnixListener free = listen("socket")) { // no dead file: no lock is needed
                talk(free, address("socket"), SocketType.STREAM);
            }
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    @Needs(root = true)
    void aDeadSocketInAFolderThatMayNotBeReadIsReplaced() throws Exception {
        dead("socket");
        Files.setPosixFilePermissions(
                folder.resolve("socket"), PosixFilePermissions.fromString("rw-rw-rw-"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx-wx-wx"));
        AsUser.nobody(() -> {
            try (UnixListener heir = listen("socket")) {
                talk(heir, address("socket"), SocketType.STREAM);
            }
        });
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void whoLosesThePathBeforeItListensSaysSo() throws Exception {
        Path path = folder.resolve("socket");
        AtomicBoolean over = new AtomicBoolean();
        FutureTask<Void> removing =
                new FutureTask<>(() -> {
                    while (!over.get()) {
                        Files.deleteIfExists(path);
                    }
                    return null;
                });
        Thread remover = Thread.ofPlatform().start(removing);
        try {
            Await.until(() -> { // a removal between bind and listen
                Optional<UnixListener> winner = tryListen("socket");
                winner.ifPresent(UnixListener::close);
                return winner.isEmpty();
            });
        } finally {
            over.set(true);
            remover.join();
        }
        assertThat(removing.get()).isNull();
        assertThat(folder).isEmptyDirectory();
    }

    private static final int ROUNDS = 200;

    private Optional<UnixListener> tryListen(String name) {
        try {
            return Optional.of(listen(name));
        } catch (ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE);
            return Optional.empty();
        }
    }

    private static boolean nothingWaits(UnixListener listener) throws InterruptedException {
        return Readiness.await(listener.fd(), Readiness.IN, Duration.ZERO) == Readiness.NONE;
    }

    @Test
    void aFileThatIsNoSocketIsNotReplaced() throws IOException {
        Files.writeString(folder.resolve("file"), "precious");
        Files.createDirectory(folder.resolve("folder"));
        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("file"));
        for (String name : List.of("file", "folder", "link")) {
            assertThatThrownBy(() -> listen(name))
                    .as(name)
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("EADDRINUSE")
                    .hasMessageContaining("not a socket");
            assertThat(folder.resolve(name)).exists();
        }
        assertThat(folder.resolve("file")).hasContent("precious");
    }

    @Test
    void aFolderThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> listen("no/folder"))
                .isInstanceOf(ErrnoException.class)
                .hasMessage("bind %s: ENOENT (no such file or directory)", address("no/folder"));
    }

    @Test
    void aCloseWakesWhoAccepts() {
        UnixListener listener = listen("socket");
        List<FutureTask<UnixSocket>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            FutureTask<UnixSocket> task = new FutureTask<>(listener::accept);
            Await.parked(Thread.startVirtualThread(task));
            tasks.add(task);
        }
        listener.close();
        for (FutureTask<UnixSocket> task : tasks) {
            assertThatThrownBy(task::get).cause().isInstanceOf(IllegalStateException.class);
        }
        assertThatIllegalStateException().isThrownBy(listener::tryAccept);
    }

    @Test
    void anInterruptedThreadNeitherConnectsNorAcceptsNorSends() throws InterruptedException {
        UnixAddress address = address("socket");
        List<Fd> none = List.of();
        try (UnixListener listener = listen("socket");
                UnixSocket client = UnixSocket.connect(address, SocketType.STREAM);
                UnixSocket sender = UnixSocket.datagram();
                UnixSocket receiver = UnixSocket.bind(address("receiver"))) {
            for (ThrowingCallable call :
                    List.<ThrowingCallable>of(
                            () -> UnixSocket.connect(address, SocketType.STREAM).close(),
                            () -> listener.accept().close(),
                            () -> client.send(Messages.of("x")),
                            () -> client.send(Messages.of("x"), none),
                            () -> client.sendFully(Messages.of("x")),
                            () -> sender.sendTo(address("receiver"), Messages.of("x"), none))) {
                Thread.currentThread().interrupt();
                assertThatThrownBy(call).isInstanceOf(InterruptedException.class);
                assertThat(Thread.interrupted()).as("the status is cleared").isFalse();
            }
            ByteBuffer room = ByteBuffer.allocate(1);
            assertThat(receiver.tryReceive(room)).isEqualTo(UnixSocket.WOULD_BLOCK);
            try (UnixSocket server = listener.accept()) {
                assertThat(server.tryReceive(room)).isEqualTo(UnixSocket.WOULD_BLOCK);
            }
            assertThat(listener.tryAccept()).isEmpty();
        }
    }

    @Test
    void severalAcceptersShareTheConnections() throws Exception {
        int connections = 60;
        try (UnixListener listener = listen("socket")) {
            List<FutureTask<Integer>> accepters = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                FutureTask<Integer> accepter =
                        new FutureTask<>(() -> {
                            int n = 0;
                            for (; ; n++) {
                                try (UnixSocket socket = listener.accept()) {
                                    if (Messages.receive(socket).equals("stop")) {
                                        return n;
                                    }
                                }
                            }
                        });
                Thread.startVirtualThread(accepter);
                accepters.add(accepter);
            }
            for (int i = 0; i < connections + accepters.size(); i++) {
                try (UnixSocket client = UnixSocket.connect(address("socket"), SocketType.STREAM)) {
                    client.sendFully(Messages.of(i < connections ? "go on" : "stop"));
                }
            }
            int accepted = 0;
            for (FutureTask<Integer> accepter : accepters) {
                accepted += accepter.get();
            }
            assertThat(accepted).isEqualTo(connections);
        }
    }

    @Test
    void aConnectParksWhileTheQueueIsFull() throws Exception {
        try (UnixListener listener = UnixListener.listen(address("socket"), SocketType.STREAM, 0)) {
            UnixSocket first = UnixSocket.connect(address("socket"), SocketType.STREAM);
            FutureTask<UnixSocket> second =
                    new FutureTask<>(
                            () -> UnixSocket.connect(address("socket"), SocketType.STREAM));
            Thread thread = Thread.startVirtualThread(second);
            Await.parked(thread);
            assertThat(second.isDone()).isFalse();
            listener.accept().close();
            second.get().close();
            listener.accept().close();
            first.close();
        }
    }

    @Test
    void aConnectWithALimitGivesUpWhenTheQueueStaysFull() throws Exception {
        try (UnixListener listener = UnixListener.listen(address("socket"), SocketType.STREAM, 0)) {
            UnixAddress full = address("socket");
            UnixSocket first = UnixSocket.connect(full, SocketType.STREAM, Duration.ZERO);
            for (Duration limit : List.of(Duration.ZERO, Duration.ofMillis(20))) {
                assertThatThrownBy(() -> UnixSocket.connect(full, SocketType.STREAM, limit))
                        .isInstanceOfSatisfying(
                                ErrnoException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT))
                        .hasMessageContaining(full.toString())
                        .hasMessageContaining("queue");
            }
            listener.accept().close();
            Duration longest = Duration.ofSeconds(Long.MAX_VALUE);
            UnixSocket.connect(full, SocketType.STREAM, longest).close();
            listener.accept().close();
            first.close();
        }
    }

    @Test
    void theSocketFileHasThePermissionsThatItIsToHaveWhateverTheUmask() throws Exception {
        Map<Integer, String> modes =
                Map.of(0666, "rw-rw-rw-", 0600, "rw-------", 0777, "rwxrwxrwx", 0222, "-w--w--w-");
        for (int mode : modes.keySet()) {
            var permissions = PosixFilePermissions.fromString(modes.get(mode));
            try (UnixListener listener =
                    UnixListener.listen(address("socket"), SocketType.STREAM, BACKLOG, mode)) {
                assertThat(Files.getPosixFilePermissions(folder.resolve("socket")))
                        .isEqualTo(permissions);
                talk(listener, address("socket"), SocketType.STREAM);
            }
        }
    }

    @Test
    void onlyAPathHasPermissions() {
        for (UnixAddress other :
                List.of(UnixAddress.abstractName("holdfast-test"), UnixAddress.unnamed())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> UnixListener.listen(other, SocketType.STREAM, 1, 0600))
                    .withMessageContaining("permissions");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> UnixListener.listen(address("no"), SocketType.STREAM, 1, 660))
                .withMessageContaining("write 0660");
        for (int mode : new int[] {-1, 01000, 04600}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(
                            () -> UnixListener.listen(address("no"), SocketType.STREAM, 1, mode));
        }
        assertThat(folder.resolve("no")).doesNotExist();
    }

    @Test
    void anAdoptedListenerKeepsItsFile() throws InterruptedException {
        try (UnixListener made = listen("socket");
                Fd received = made.fd().duplicate()) {
            try (UnixListener adopted = UnixListener.adopt(received)) {
                talk(adopted, address("socket"), SocketType.STREAM);
            }
            assertThat(folder.resolve("socket")).exists();
            assertThat(received.isOpen()).isFalse();
            talk(made, address("socket"), SocketType.STREAM);
        }
    }

    @Test
    void aListenerThatCannotBeTakenOverStaysTheGivers() throws Exception {
        UnixAddress elsewhere = address("none/socket");
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixListener made = listen("socket");
                UnixSocket one = pair[0];
                UnixSocket _ = pair[1]) {
            assertThatThrownBy(() -> UnixListener.takeOver(made.fd(), elsewhere))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("ENOENT");
            assertThat(made.fd().isOpen()).isTrue();
            assertThatThrownBy(() -> UnixListener.takeOver(one.fd(), address("socket")))
                    .hasMessageContaining("it does not listen");
            assertThat(one.fd().isOpen()).isTrue();
            talk(made, address("socket"), SocketType.STREAM);
        }
    }

    @Test
    void aSocketThatDoesNotListenIsNotAdopted() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            assertThatThrownBy(() -> UnixListener.adopt(one.fd()))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("it does not listen");
            assertThat(one.fd().isOpen()).isTrue();
            assertThat(two.fd().isOpen()).isTrue();
        }
    }

    @Test
    void anEventLoopServesWithoutWaiting() throws InterruptedException {
        try (EventLoop loop = EventLoop.open();
                UnixListener listener = listen("socket");
                UnixSocket client = UnixSocket.connect(address("socket"), SocketType.STREAM)) {
            List<UnixSocket> accepted = new ArrayList<>();
            loop.watch(
                    listener.fd(),
                    Readiness.IN,
                    _ -> {
                        Optional<UnixSocket> socket = listener.tryAccept();
                        while (socket.isPresent()) {
                            accepted.add(socket.get());
                            echo(loop, socket.get());
                            socket = listener.tryAccept();
                        }
                    });
            while (accepted.isEmpty()) {
                int ignored = loop.step(Duration.ofHours(1));
            }
            for (int i = 0; i < 20; i++) {
                client.sendFully(Messages.of("message " + i));
                assertThat(loop.step(Duration.ofHours(1))).isEqualTo(1);
                assertThat(Messages.receive(client)).isEqualTo("message " + i);
            }
            client.shutdownOutput();
            assertThat(loop.step(Duration.ofHours(1))).isEqualTo(1);
            assertThat(client.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            assertThat(loop.errors()).isZero();
        }
    }

    private static void echo(EventLoop loop, UnixSocket socket) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1024);
        loop.watch(
                socket.fd(),
                Readiness.IN,
                _ -> {
                    int n = socket.tryReceive(buffer.clear());
                    if (n == UnixSocket.END) {
                        socket.close();
                    } else if (n != UnixSocket.WOULD_BLOCK) {
                        assertThat(socket.trySend(buffer.flip())).isEqualTo(n);
                    }
                });
    }

    @Test
    @SuppressWarnings("try") // closed early on purpose
    void theFileOfASuccessorIsNotRemoved() throws IOException {
        Path path = folder.resolve("taken-over");
        UnixAddress address = UnixAddress.path(path);
        try (UnixListener first = UnixListener.listen(address, SocketType.STREAM, 1)) {
            Files.delete(path);
            try (UnixListener second = UnixListener.listen(address, SocketType.STREAM, 1)) {
                first.close();
                assertThat(path).exists();
                assertThat(second.address()).isEqualTo(address);
            }
            assertThat(path).doesNotExist();
        }
    }
}
