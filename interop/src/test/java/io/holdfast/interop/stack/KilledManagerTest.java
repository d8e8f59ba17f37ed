package io.holdfast.interop.stack;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Services of the distribution, with the units that it ships, serve without interruption while
 * their manager is killed repeatedly.
 */
@Timeout(300)
class KilledManagerTest {
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 100 : 5;
    private static final int TIMEOUT = 60_000; // milliseconds
    private static final String ADOPTED = "holdfast: the manager before this one";

    /** After several early deaths of managers the next one would pause. */
    private static final Map<String, String> WITHOUT_PAUSE =
            Map.of("JDK_JAVA_OPTIONS", "-Dio.holdfast.manager.crashPause=1");

    /** What the packages need on a machine whose /run and /var/log are empty. */
    private static final String PREPARE =
            """
            set -e
            for user in "$@"; do
                install -d -o "$user" -g "$(id -gn "$user")" "/var/log/$user"
            done
            """;

    private final AtomicBoolean done = new AtomicBoolean();
    private StackStage stage;
    private int port;

    @BeforeEach
    void open() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    /** One request of a client; throws if it is not served. */
    private interface Request {
        void send() throws Exception;
    }

    private void prepare(String script, String... arguments) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", PREPARE + script, "sh"));
        command.addAll(List.of(arguments));
        String _ = stage.output(command.toArray(String[]::new));
    }

    @Test
    @Needs(
            root = true,
            cgroup2 = true,
            programs = {"redis-server", "nsenter"})
    void redisServesWhileItsManagerIsKilled() throws Exception {
        prepare(
                "mount -t tmpfs -o mode=750,uid=$(id -u redis),gid=$(id -g redis) none"
                        + " /var/lib/redis; sed -i 's/^port .*/port "
                        + port
                        + "/' /etc/redis/redis.conf",
                "redis");
        assertServes(
                "redis-server.service",
                () ->
                        assertThat(exchange("SET key value\r\nGET key\r\nQUIT\r\n"))
                                .isEqualTo("+OK\r\n$5\r\nvalue\r\n+OK\r\n"));
    }

    @Test
    @Needs(
            root = true,
            cgroup2 = true,
            programs = {"nginx", "nsenter"})
    void nginxServesWhileItsManagerIsKilled() throws Exception {
        prepare(
                """
                install -d /var/log/nginx
                echo served >/run/index.html
                echo "server { listen 127.0.0.1:$1; root /run; }" >/etc/nginx/sites-enabled/default
                """
                        .replace("$1", Integer.toString(port)));
        assertServes(
                "nginx.service",
                () -> assertThat(exchange("GET / HTTP/1.0\r\n\r\n")).endsWith("\r\n\r\nserved\n"));
    }

    @Test
    @Needs(
            root = true,
            cgroup2 = true,
            programs = {"pg_createcluster", "psql", "runuser", "nsenter"})
    void postgresqlServesWhileItsManagerIsKilled() throws Exception {
        prepare(
                """
                mount -t tmpfs -o uid=$(id -u postgres),gid=$(id -g postgres) none \
                        /var/lib/postgresql
                version=$(ls /usr/lib/postgresql | sort -n | tail -1)
                rm -rf /etc/postgresql/*
                pg_createcluster --port=PORT "$version" holdfast
                echo "$version" >/run/version
                """
                        .replace("PORT", Integer.toString(port)),
                "postgres");
        String version = stage.output("cat", "/run/version").strip();
        assertServes(
                "postgresql@" + version + "-holdfast.service",
                () ->
                        assertThat(
                                        stage.output(
                                                "runuser",
                                                "-u",
                                                "postgres",
                                                "--",
                                                "psql",
                                                "--port=" + port,
                                                "-Atc",
                                                "SELECT 6 * 7"))
                                .isEqualTo("42"));
    }

    /** Kills one manager after the other while clients connect; every request must be served. */
    private void assertServes(String unit, Request request) throws Exception {
        RunningProgram up = stage.up(WITHOUT_PAUSE, unit);
        up.await("holdfast: ready");
        try (PidFd main = stage.mainProcess(unit);
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            request.send();
            List<Future<Integer>> served =
                    List.of(
                            clients.submit(() -> sendUntilDone(request)),
                            clients.submit(() -> sendUntilDone(request)));
            try {
                for (int i = 0; i < KILLS; i++) {
                    try (PidFd manager = StackStage.managerBelow(up.process())) {
                        assertThat(manager.signal(Signal.KILL)).isTrue();
                    }
                    up.await(ADOPTED);
                }
            } finally {
                done.set(true);
            }
            for (Future<Integer> each : served) {
                assertThat(each.get()).isGreaterThanOrEqualTo(KILLS);
            }
            try (PidFd still = stage.mainProcess(unit)) {
                assertThat(still).isEqualTo(main);
            }
        }
        StackStage.stop(up);
    }

    private int sendUntilDone(Request request) throws Exception {
        int count = 0;
        while (!done.get()) {
            request.send();
            count++;
            Await.pause();
        }
        return count;
    }

    /** Sends a request over a new connection; returns the whole response. */
    private String exchange(String text) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(TIMEOUT);
            socket.getOutputStream().write(text.getBytes(US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), US_ASCII);
        }
    }
}
