package io.holdfast.authority.polkit1;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityException;
import io.holdfast.authority.Caller;
import io.holdfast.authority.CheckRequest;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.subject.Identity;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.temporary.TemporaryAuthorization;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.MethodHandler;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * The methods of {@code org.freedesktop.PolicyKit1.Authority}: they resolve callers and subjects to
 * processes held by pidfd, call the engine, and convert refusals to polkit's errors.
 */
final class PolicyKitMethods {
    /** The version of polkit that has this interface. */
    static final String VERSION = "127";

    private static final String SUBJECT = "(sa{sv})";

    // flags of CheckAuthorization
    private static final long ALLOW_USER_INTERACTION = 1;
    private static final long ALWAYS_CHECK = 2;

    private final AuthorityEngine engine;
    private final BusPeers peers;
    private final BusAgents agents;
    private final SubjectReader subjects;
    private final ActionDescriptions descriptions = new ActionDescriptions();

    PolicyKitMethods(AuthorityEngine engine, BusPeers peers, BusAgents agents) {
        this.engine = engine;
        this.peers = peers;
        this.agents = agents;
        this.subjects = new SubjectReader(peers, engine.sessions());
    }

    BusInterface description() {
        return BusInterface.named(Authority.BUS_INTERFACE)
                .concurrent()
                .method(
                        "EnumerateActions",
                        "s",
                        ActionDescriptions.SIGNATURE,
                        this::enumerateActions,
                        "locale",
                        "action_descriptions")
                .asyncMethod(
                        "CheckAuthorization",
                        SUBJECT + "sa{ss}us",
                        "(bba{ss})",
                        this::check,
                        "subject",
                        "action_id",
                        "details",
                        "flags",
                        "cancellation_id",
                        "result")
                .method(
                        "CancelCheckAuthorization",
                        "s",
                        "",
                        answered(this::cancel),
                        "cancellation_id")
                .method(
                        "RegisterAuthenticationAgent",
                        SUBJECT + "ss",
                        "",
                        answered(this::register),
                        "subject",
                        "locale",
                        "object_path")
                .method(
                        "RegisterAuthenticationAgentWithOptions",
                        SUBJECT + "ssa{sv}",
                        "",
                        answered(this::register),
                        "subject",
                        "locale",
                        "object_path",
                        "options")
                .method(
                        "UnregisterAuthenticationAgent",
                        SUBJECT + "s",
                        "",
                        answered(this::unregister),
                        "subject",
                        "object_path")
                .method(
                        "AuthenticationAgentResponse",
                        "s" + SUBJECT,
                        "",
                        answered((call, caller) ->
                                respond(call, caller, 0, OptionalLong.empty(), Optional.empty())),
                        "cookie",
                        "identity")
                .method(
                        "AuthenticationAgentResponse2",
                        "us" + SUBJECT,
                        "",
                        answered((call, caller) ->
                                respond(
                                        call,
                                        caller,
                                        1,
                                        OptionalLong.of(call.argument(0, Long.class)),
                                        Optional.empty())),
                        "uid",
                        "cookie",
                        "identity")
                .method(
                        "AuthenticationAgentResponse3",
                        "s" + SUBJECT + SUBJECT,
                        "",
                        answered(this::respondWithSubject),
                        "cookie",
                        "identity",
                        "subject")
                .method(
                        "EnumerateTemporaryAuthorizations",
                        SUBJECT,
                        "a(ss" + SUBJECT + "tt)",
                        answered(this::enumerateTemporary),
                        "subject",
                        "temporary_authorizations")
                .method(
                        "RevokeTemporaryAuthorizations",
                        SUBJECT,
                        "",
                        answered(this::revokeTemporary),
                        "subject")
                .method(
                        "RevokeTemporaryAuthorizationById",
                        "s",
                        "",
                        answered((call, caller) -> {
                            join(engine.revoke(caller, call.string(0)));
                            return List.of();
                        }),
                        "id")
                .property("BackendName", "s", () -> "js", null, BusInterface.Change.CONSTANT)
                .property("BackendVersion", "s", () -> VERSION, null, BusInterface.Change.CONSTANT)
                .property("BackendFeatures", "u", () -> 1, null, BusInterface.Change.CONSTANT)
                .signal("Changed", "q", "what")
                .build();
    }

    /**
     * Returns the interface that Holdfast's helper calls before PAM runs; polkit has none like it.
     */
    BusInterface helperDescription() {
        return BusInterface.named(PolicyKit1.HELPER_INTERFACE)
                .concurrent()
                .method(
                        PolicyKit1.BEGIN_ATTEMPT,
                        "s" + SUBJECT + SUBJECT,
                        "",
                        answered(this::beginAttempt),
                        "cookie",
                        "identity",
                        "subject")
                .build();
    }

    /** A method that gets its caller's identity. */
    private interface Asked {
        List<?> answer(MethodCall call, Caller caller) throws Exception;
    }

    /** Resolves the caller of a method, and converts its refusals to polkit's errors. */
    private MethodHandler answered(Asked handler) {
        return call -> {
            try (Subject.BusName who = peers.subject(call.sender(), call::peer)) {
                return handler.answer(call, new Caller(who.name(), who.uid(), who.process()));
            } catch (AuthorityException | ErrnoException e) {
                throw refusal(e);
            }
        };
    }

    /** Converts a failure to the error that the caller receives. */
    private RuntimeException refusal(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        return switch (cause) {
            case AuthorityException e -> error(e);
            case ErrnoException e ->
                    new DBusException(PolicyKit1.FAILED, String.valueOf(e.getMessage()));
            case RuntimeException e -> e;
            default -> internalError(cause);
        };
    }

    /** Returns what is logged with its cause; the caller receives the text alone. */
    private static RuntimeException internalError(Throwable cause) {
        return new IllegalStateException("internal error of the authority", cause);
    }

    private DBusException error(AuthorityException e) {
        engine.countRefusal(e);
        return new DBusException(
                PolicyKit1.ERROR + e.kind().word(), String.valueOf(e.getMessage()));
    }

    private static <T> T join(CompletableFuture<T> answer) throws InterruptedException {
        try {
            return answer.get();
        } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNull(e.getCause());
            throw cause instanceof RuntimeException refused ? refused : internalError(cause);
        }
    }

    // ---- actions and checks

    private List<?> enumerateActions(MethodCall call) {
        return List.of(descriptions.in(call.string(0), engine.actions()));
    }

    /**
     * Checks an authorization. If caller and subject are cached, the check begins at once on the
     * reader thread: it is short, and waking another thread would take as long. Otherwise the bus
     * has to be asked, and the reader must not wait for its reply.
     */
    private void check(MethodCall call, CompletableFuture<List<?>> reply) {
        if (!isInteractive(call)) {
            Optional<Subject.BusName> who = peers.known(call.sender());
            if (who.isPresent()) {
                Optional<Subject> subject;
                try {
                    subject = subjects.readNow(call.argument(0, Struct.class), call);
                } catch (RuntimeException e) {
                    who.get().close();
                    throw refusal(e);
                }
                if (subject.isPresent()) {
                    begin(call, who.get(), subject.get(), reply);
                    return;
                }
                who.get().close();
            }
        }
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus call " + call.message().member())
                        .start(() -> checkWaiting(call, reply));
    }

    private static boolean isInteractive(MethodCall call) {
        return (call.argument(3, Long.class) & ALLOW_USER_INTERACTION) != 0;
    }

    private void checkWaiting(MethodCall call, CompletableFuture<List<?>> reply) {
        try {
            Subject.BusName who = peers.subject(call.sender(), call::peer);
            Subject subject;
            try {
                subject = subjects.read(call.argument(0, Struct.class), call);
            } catch (RuntimeException | InterruptedException e) {
                who.close();
                throw e;
            }
            begin(call, who, subject, reply);
            if (isInteractive(call) && !reply.isDone() && agents.isGone(call.sender())) {
                engine.disconnected(peers.connection(call.sender())); // no signal follows
            }
        } catch (RuntimeException | InterruptedException e) {
            reply.completeExceptionally(refusal(e));
        }
    }

    /**
     * Begins a check.
     *
     * @param who the caller; owned
     * @param subject owned
     */
    private void begin(
            MethodCall call,
            Subject.BusName who,
            Subject subject,
            CompletableFuture<List<?>> reply) {
        CompletableFuture<Decision> answer;
        try {
            answer =
                    engine.check(
                            new CheckRequest(
                                    new Caller(who.name(), who.uid(), who.process()),
                                    subject,
                                    call.string(1),
                                    strings(call.argument(2, Map.class)),
                                    isInteractive(call),
                                    (call.argument(3, Long.class) & ALWAYS_CHECK) != 0,
                                    call.string(4)));
        } catch (RuntimeException e) {
            who.close();
            throw e;
        }
        var _ =
                answer.whenComplete((decision, failure) -> {
                    who.close();
                    if (failure != null) {
                        reply.completeExceptionally(refusal(failure));
                    } else if (decision.failure().isPresent()) {
                        reply.completeExceptionally(
                                error(AuthorityException.failed(decision.failure().get())));
                    } else {
                        reply.complete(
                                List.of(
                                        Struct.of(
                                                decision.isAuthorized(),
                                                decision.isChallenge(),
                                                decision.details())));
                    }
                });
    }

    private static Map<String, String> strings(Map<?, ?> map) {
        Map<String, String> strings = new LinkedHashMap<>();
        map.forEach((key, value) -> strings.put((String) key, (String) value));
        return strings;
    }

    private List<?> cancel(MethodCall call, Caller caller) {
        engine.cancel(caller, call.string(0));
        return List.of();
    }

    // ---- agents

    private List<?> register(MethodCall call, Caller caller) throws InterruptedException {
        String path = call.string(2);
        if (!Syntax.isObjectPath(path)) {
            throw AuthorityException.failed("Invalid object path `" + path + "'");
        }
        boolean fallback =
                call.arguments().size() > 3
                        && call.argument(3, Map.class).get("fallback")
                                instanceof Variant(_, Boolean wanted)
                        && wanted;
        Subject scope = subjects.read(call.argument(0, Struct.class), call);
        BusAgent channel = agents.agent(call.sender(), path, caller.uid());
        join(engine.agents().register(caller, scope, call.string(1), path, fallback, channel));
        agents.forgetIfGone(call.sender());
        return List.of();
    }

    private List<?> unregister(MethodCall call, Caller caller) throws InterruptedException {
        Subject scope = subjects.read(call.argument(0, Struct.class), call);
        join(engine.agents().unregister(caller, scope, call.string(1)));
        return List.of();
    }

    private List<?> beginAttempt(MethodCall call, Caller caller) throws InterruptedException {
        Subject.UnixProcess agent = agentProcess(call);
        long user = user(call, 1, agent);
        join(
                engine.agents()
                        .beginAttempt(
                                caller,
                                call.string(0),
                                user,
                                OptionalLong.of(agent.uid()),
                                Optional.of(agent)));
        agents.forgetIfGone(call.sender());
        return List.of();
    }

    private List<?> respondWithSubject(MethodCall call, Caller caller) throws InterruptedException {
        Subject.UnixProcess agent = agentProcess(call);
        return respond(call, caller, 0, OptionalLong.of(agent.uid()), Optional.of(agent));
    }

    /** Reads the process that talks to the helper, which is the third argument. */
    private Subject.UnixProcess agentProcess(MethodCall call) {
        Struct subject = call.argument(2, Struct.class);
        if (!subject.get(0).equals("unix-process")) {
            throw AuthorityException.failed("the subject must be a unix-process");
        }
        return subjects.process((Map<?, ?>) subject.get(1), call);
    }

    /** Reads the user in an argument; closes the agent's process if it is invalid. */
    private static long user(MethodCall call, int argument, Subject.UnixProcess agent) {
        try {
            return user(call.argument(argument, Struct.class));
        } catch (RuntimeException e) {
            agent.close();
            throw e;
        }
    }

    private List<?> respond(
            MethodCall call,
            Caller caller,
            int cookie,
            OptionalLong agentUid,
            Optional<Subject.UnixProcess> agent)
            throws InterruptedException {
        long user;
        try {
            user = user(call.argument(cookie + 1, Struct.class));
        } catch (RuntimeException e) {
            agent.ifPresent(Subject.UnixProcess::close);
            throw e;
        }
        join(engine.agents().respond(caller, call.string(cookie), user, agentUid, agent));
        return List.of();
    }

    private static long user(Struct identity) {
        if (identity.get(0).equals("unix-user")
                && identity.get(1) instanceof Map<?, ?> details
                && details.get("uid") instanceof Variant(_, Long uid)
                && uid < 0xFFFF_FFFFL) {
            return uid;
        }
        throw AuthorityException.failed("the identity must be a unix-user with a uid of type u");
    }

    static Struct identity(Identity.User user) {
        return Struct.of(
                "unix-user", Map.of("uid", Variant.of("u", Long.parseLong(user.nameOrUid()))));
    }

    // ---- temporary authorizations

    private Subject.UnixSession session(MethodCall call) throws InterruptedException {
        Subject subject = subjects.read(call.argument(0, Struct.class), call);
        if (subject instanceof Subject.UnixSession session) {
            return session;
        }
        subject.close();
        throw AuthorityException.failed("Can only handle PolkitUnixSession objects for now.");
    }

    private List<?> enumerateTemporary(MethodCall call, Caller caller) throws InterruptedException {
        List<Struct> list = new ArrayList<>();
        for (TemporaryAuthorization each : engine.temporaryAuthorizations(caller, session(call))) {
            try {
                list.add(
                        Struct.of(
                                each.id(),
                                each.action(),
                                described(each.subject()),
                                each.obtained().getEpochSecond(),
                                each.expires().getEpochSecond()));
            } catch (ErrnoException | IllegalStateException e) {
                // its process has just gone, or it was just removed
            }
        }
        return List.of(list);
    }

    /** Describes a process without its pidfd: other libraries cannot read what polkitd sends. */
    private static Struct described(Subject.UnixProcess process) {
        PidFd held = process.pidFd();
        return PolkitSubject.numbered(held.processId().pid(), startTicks(held), process.uid());
    }

    private static long startTicks(PidFd process) {
        try {
            return process.proc().startTicks();
        } catch (ErrnoException | IllegalStateException e) { // it has just gone, or was closed
            return 0;
        }
    }

    private List<?> revokeTemporary(MethodCall call, Caller caller) throws InterruptedException {
        join(engine.revoke(caller, session(call)));
        return List.of();
    }
}
