package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * A user of the stack: measures how long its own calls take, or puts a load on the stack until it
 * is told to stop. Commands: {@code measure FACE COUNT}, {@code load LOAD FACE}, {@code stop}.
 */
final class HostileProgram {
    private static final long MOST_NANOS = 20_000_000_000L; // for one measurement
    private static final int CONNECTIONS = 200;
    private static final int CALLS = 20; // under way on each connection
    private static final int DESCRIPTORS = 64;
    private static final String BUS = "org.freedesktop.DBus";

    private final Path runtime;
    private final List<Thread> threads = new ArrayList<>();

    private HostileProgram(Path runtime) {
        this.runtime = runtime;
    }

    /** A call of a face, over a connection of its own. */
    private interface Caller extends AutoCloseable {
        void call() throws Exception;

        @Override
        void close();
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        HostileProgram program = new HostileProgram(Path.of(args[0]));
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            System.out.println(
                    switch (words[0]) {
                        case "measure" -> program.measure(words[1], Integer.parseInt(words[2]));
                        case "load" -> program.load(words[1], words[2]);
                        default -> program.stop();
                    });
        }
        System.exit(0); // whatever the load still does
    }

    // ---- the faces

    private Caller caller(String face) throws InterruptedException {
        return switch (face) {
            case "bus" -> overBus(bus(), BUS, "/org/freedesktop/DBus", BUS, "GetId", "");
            case "manager" ->
                    overBus(
                            bus(),
                            "org.freedesktop.systemd1",
                            "/org/freedesktop/systemd1",
                            "org.freedesktop.systemd1.Manager",
                            "GetUnit",
                            "s",
                            "dbus.service");
            case "authority" -> authority();
            case "varlink" ->
                    overVarlink("Manager", "Status", JsonObject.of("name", "dbus.service"));
            default ->
                    overVarlink(
                            "Authority",
                            "Check",
                            JsonObject.of("action", "org.freedesktop.systemd1.manage-units"));
        };
    }

    private BusConnection bus() throws InterruptedException {
        return BusConnection.connect("unix:path=" + runtime.resolve("bus"));
    }

    private static Caller overBus(
            BusConnection bus,
            String service,
            String path,
            String interfaceName,
            String method,
            String types,
            Object... arguments) {
        return new Caller() {
            @Override
            public void call() throws Exception {
                List<Object> _ =
                        bus.object(service, path).call(interfaceName, method, types, arguments);
            }

            @Override
            public void close() {
                bus.close();
            }
        };
    }

    private Caller authority() throws InterruptedException {
        BusConnection bus = bus();
        return overBus(
                bus,
                "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority",
                "org.freedesktop.PolicyKit1.Authority",
                "CheckAuthorization",
                "(sa{sv})sa{ss}us",
                Struct.of("system-bus-name", Map.of("name", Variant.of(bus.uniqueName()))),
                "org.freedesktop.systemd1.manage-units",
                Map.of(),
                0,
                "");
    }

    private Caller overVarlink(String service, String method, JsonObject parameters) {
        String name = "io.holdfast." + service;
        VarlinkClient client = VarlinkClient.connect("unix:" + runtime.resolve(name));
        return new Caller() {
            @Override
            public void call() {
                JsonObject _ = client.call(name + "." + method, parameters);
            }

            @Override
            public void close() {
                client.close();
            }
        };
    }

    // ---- measuring

    /** Returns the median and the 99th percentile in nanoseconds, and how many calls failed. */
    private String measure(String face, int count) throws InterruptedException {
        List<Double> times = new ArrayList<>();
        int failed = 0;
        long end = System.nanoTime() + MOST_NANOS;
        Caller caller = caller(face);
        while (times.size() < count && System.nanoTime() < end) {
            long begin = System.nanoTime();
            try {
                caller.call();
            } catch (Exception e) {
                failed++;
                caller.close();
                caller = caller(face);
            }
            times.add((double) (System.nanoTime() - begin));
        }
        caller.close();
        double[] all = times.stream().mapToDouble(Double::doubleValue).toArray();
        return Turns.quantile(all, 0.5) + " " + Turns.quantile(all, 0.99) + " " + failed;
    }

    // ---- loads

    private String load(String load, String face) {
        switch (load) {
            case "calls" -> {
                for (int i = 0; i < CONNECTIONS; i++) {
                    begin(() -> callOverAndOver(face));
                }
            }
            case "rules" -> begin(this::addRulesAndBroadcast, 8);
            case "churn" -> begin(this::connectAndDisconnect, 2);
            case "nothing" ->
                    begin(HostileProgram::compute, Runtime.getRuntime().availableProcessors());
            default -> begin(this::sendDescriptors, 4);
        }
        return "0";
    }

    private interface Step {
        void run() throws Exception;
    }

    private void begin(Step step, int times) {
        for (int i = 0; i < times; i++) {
            begin(step);
        }
    }

    /** Repeats a step until the end: it may be refused at any time. */
    private void begin(Step step) {
        Thread thread =
                Thread.ofVirtual()
                        .start(() -> {
                            while (!Thread.currentThread().isInterrupted()) {
                                try {
                                    step.run();
                                } catch (InterruptedException e) {
                                    return;
                                } catch (Exception e) {
                                    if (!pause()) {
                                        return;
                                    }
                                }
                            }
                        });
        threads.add(thread);
    }

    private static boolean pause() {
        try {
            Thread.sleep(10);
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    /** Calls nobody, and uses what it gets of a processor. */
    private static void compute() {
        while (!Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
        }
    }

    /** Has many calls under way on one connection. */
    private void callOverAndOver(String face) throws Exception {
        try (Caller caller = caller(face)) {
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < CALLS; i++) {
                callers.add(
                        Thread.ofVirtual()
                                .start(() -> {
                                    try {
                                        while (true) {
                                            caller.call();
                                        }
                                    } catch (Exception e) {
                                        // refused, or over
                                    }
                                }));
            }
            try {
                for (Thread each : callers) {
                    each.join();
                }
            } finally {
                callers.forEach(Thread::interrupt);
            }
        }
    }

    /** Holds rules with many tests, and sends signals that are compared with them. */
    private void addRulesAndBroadcast() throws Exception {
        try (BusConnection bus = bus()) {
            for (int i = 0; i < 100; i++) {
                StringBuilder rule = new StringBuilder("type='signal',interface='org.example.A'");
                for (int j = 0; j < 60; j++) {
                    rule.append(",arg").append(j).append("path='/").append(i).append("/'");
                }
                try {
                    List<Object> _ = bus.bus().call(BUS, "AddMatch", "s", rule.toString());
                } catch (RuntimeException e) {
                    break; // the limit
                }
            }
            Object[] arguments = Collections.nCopies(60, "/x").toArray();
            while (true) {
                bus.offerSignal("", "/a", "org.example.A", "B", "s".repeat(60), arguments);
                List<Object> _ = bus.bus().call(BUS, "GetId");
            }
        }
    }

    /** Connects to the socket of the authentication helper and to the bus, and disconnects. */
    private void connectAndDisconnect() throws InterruptedException {
        for (String socket : List.of("agent-helper.socket", "bus")) {
            UnixAddress address = UnixAddress.path(runtime.resolve(socket));
            UnixSocket.connect(address, SocketType.STREAM).close();
        }
    }

    /** Sends descriptors beside the beginning of a message that never ends. */
    private void sendDescriptors() throws InterruptedException {
        for (String socket : List.of("io.holdfast.Manager", "io.holdfast.Authority", "bus")) {
            UnixAddress address = UnixAddress.path(runtime.resolve(socket));
            try (UnixSocket connection = UnixSocket.connect(address, SocketType.STREAM)) {
                List<Fd> some = Collections.nCopies(DESCRIPTORS, connection.fd());
                int _ = connection.send(ByteBuffer.wrap(new byte[] {'{'}), some);
            }
        }
    }

    private String stop() throws InterruptedException {
        threads.forEach(Thread::interrupt);
        for (Thread thread : threads) {
            thread.join();
        }
        threads.clear();
        return "0";
    }
}
