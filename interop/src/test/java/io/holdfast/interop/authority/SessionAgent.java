package io.holdfast.interop.authority;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * An agent that root runs in a user's session, with the arguments {@code BUS SESSION UID}. It
 * authenticates with polkit's own helper, which calls the system's PAM. It answers each line of
 * input with a line.
 */
final class SessionAgent {
    private static final String HELPER = "/usr/lib/polkit-1/polkit-agent-helper-1";
    private static final String PATH = "/agent";

    /** How a dialog ends. */
    enum End {
        RIGHT,
        WRONG,
        RIGHT_AND_FAILED,
        DISMISSED,
        FAILED,
        /** The agent reports success, although nobody has authenticated. */
        UNFOUNDED
    }

    /** The password of every user. */
    static final String PASSWORD = "right horse";

    private final BusConnection bus;
    private final Struct session;
    private final String uid;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile End end = End.DISMISSED;

    private SessionAgent(BusConnection bus, String session, String uid) {
        this.bus = bus;
        this.session = PolkitSubject.session(session);
        this.uid = uid;
    }

    static void main(String[] arguments) throws Exception {
        try (BusConnection bus = BusConnection.connect(arguments[0]);
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            SessionAgent agent = new SessionAgent(bus, arguments[1], arguments[2]);
            System.out.println(agent.register());
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                System.out.println(agent.execute(line.split(" ", 2)));
            }
        }
    }

    private String register() throws InterruptedException {
        var _ =
                bus.export(
                        PATH,
                        BusInterface.named(AuthorityUnderTest.NAME + ".AuthenticationAgent")
                                .concurrent()
                                .method(
                                        "BeginAuthentication",
                                        "sssa{ss}sa(sa{sv})",
                                        "",
                                        this::begin)
                                .method("CancelAuthentication", "s", "", _ -> List.of())
                                .build());
        return outcome("RegisterAuthenticationAgent", "(sa{sv})ss", List.of(session, "C", PATH));
    }

    private String execute(String[] words) throws InterruptedException {
        return switch (words[0]) {
            case "end" -> {
                end = End.valueOf(words[1]);
                yield "[]";
            }
            case "requests" -> {
                String all = requests.toString();
                requests.clear();
                yield all;
            }
            case "unregister" ->
                    outcome("UnregisterAuthenticationAgent", "(sa{sv})s", List.of(session, PATH));
            case "list" -> list();
            case "revoke" ->
                    words.length == 1
                            ? outcome("RevokeTemporaryAuthorizations", "(sa{sv})", List.of(session))
                            : outcome("RevokeTemporaryAuthorizationById", "s", List.of(words[1]));
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    private List<Object> call(String method, String signature, List<Object> arguments)
            throws InterruptedException {
        return bus.object(AuthorityUnderTest.NAME, AuthorityUnderTest.PATH)
                .call(AuthorityUnderTest.INTERFACE, method, signature, arguments.toArray());
    }

    private String outcome(String method, String signature, List<Object> arguments)
            throws InterruptedException {
        try {
            return call(method, signature, arguments).toString();
        } catch (DBusException e) {
            return e.name();
        }
    }

    private String list() throws InterruptedException {
        List<String> lines = new ArrayList<>();
        for (Object each :
                (List<?>)
                        call("EnumerateTemporaryAuthorizations", "(sa{sv})", List.of(session))
                                .getFirst()) {
            Struct kept = (Struct) each;
            Struct subject = (Struct) kept.get(2);
            long life = (Long) kept.get(4) - (Long) kept.get(3);
            lines.add(
                    "%s for %s of %s %s, %s"
                            .formatted(
                                    kept.get(0),
                                    kept.get(1),
                                    subject.get(0),
                                    value(subject, "pid"),
                                    life >= 299 && life <= 300 ? "for 5 minutes" : life + " s"));
        }
        return lines.toString();
    }

    /** Returns a detail of a subject or an identity. */
    private static Object value(Struct struct, String key) {
        return ((Variant) Objects.requireNonNull(((Map<?, ?>) struct.get(1)).get(key))).value();
    }

    // ---- dialogs

    private List<?> begin(MethodCall call) throws Exception {
        List<Object> arguments = call.arguments();
        Map<String, Object> details = new TreeMap<>();
        ((Map<?, ?>) arguments.get(3)).forEach((key, value) -> details.put((String) key, value));
        List<Long> users = new ArrayList<>();
        for (Object identity : (List<?>) arguments.get(5)) {
            users.add((Long) value((Struct) identity, "uid"));
        }
        requests.add("%s %s %s".formatted(arguments.get(0), details, users));
        return switch (end) {
            case RIGHT -> authenticate(call.string(4), users, PASSWORD);
            case WRONG -> authenticate(call.string(4), users, "no such horse");
            case RIGHT_AND_FAILED -> {
                var _ = authenticate(call.string(4), users, PASSWORD);
                throw new DBusException(AuthorityUnderTest.NAME + ".Error.Failed", "intended");
            }
            case DISMISSED ->
                    throw new DBusException(
                            AuthorityUnderTest.NAME + ".Error.Cancelled", "intended");
            case FAILED ->
                    throw new DBusException(AuthorityUnderTest.NAME + ".Error.Failed", "intended");
            case UNFOUNDED -> List.of();
        };
    }

    /** Authenticates as the user of the agent, with the password of the first permitted user. */
    private List<?> authenticate(String cookie, List<Long> users, String password)
            throws IOException, InterruptedException {
        try (Child helper =
                Spawn.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups", HELPER)
                        .arguments(List.of(name(users.getFirst())))
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start()) {
            helper.stdin().write((cookie + "\n").getBytes(UTF_8));
            helper.stdin().flush();
            BufferedReader said = new BufferedReader(new InputStreamReader(helper.stdout(), UTF_8));
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                requests.add(line.strip());
                if (line.startsWith("PAM_PROMPT")) {
                    helper.stdin().write((password + "\n").getBytes(UTF_8));
                    helper.stdin().flush();
                }
            }
            requests.add(helper.await().toString());
        }
        return List.of();
    }

    private static String name(long uid) throws IOException {
        return Files.readAllLines(Path.of("/etc/passwd")).stream()
                .map(line -> line.split(":", -1))
                .filter(fields -> fields[2].equals(Long.toString(uid)))
                .findFirst()
                .orElseThrow()[0];
    }
}
