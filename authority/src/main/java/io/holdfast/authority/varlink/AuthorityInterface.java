package io.holdfast.authority.varlink;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityException;
import io.holdfast.authority.Caller;
import io.holdfast.authority.CheckRequest;
import io.holdfast.authority.action.Action;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.client.Explanation;
import io.holdfast.authority.rules.RuleMetrics;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.authority.temporary.TemporaryAuthorization;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.socket.Peer;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.MethodOption;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The Varlink interface of an authority, {@code io.holdfast.Authority}. A caller must be held by
 * pidfd (SO_PEERPIDFD, Linux 6.5); subjects are passed as descriptors. Explanations are only for
 * root and for the authority's own user.
 */
public final class AuthorityInterface implements AutoCloseable {
    static final String DEFINITION =
            """
            # Decides whether processes, held by pidfd, may perform actions.
            interface io.holdfast.Authority

            # A step of a decision: the topic, the result, and the place (file:line), if there is one.
            type Step (topic: string, text: string, place: ?string)

            type Action (
              id: string,
              description: string,
              message: string,
              vendor: string,
              vendorUrl: string,
              iconName: string,
              allowAny: string,
              allowInactive: string,
              allowActive: string,
              annotations: [string]string
            )

            # A process. The pid is for display; pidfdId identifies the process within the boot.
            type ProcessId (pid: int, pidfdId: ?int, bootId: ?string)

            type TemporaryAuthorization (
              id: string,
              action: string,
              process: ProcessId,
              uid: int,
              # obtained and expires: seconds since 1970
              obtained: int,
              expires: int
            )

            # Checks whether a process is authorized for an action.
            # subject: the index of a descriptor that is passed with the call: a pidfd, or a
            #   connected AF_UNIX socket, whose peer is the subject. Without it the caller is the
            #   subject.
            # uid: the user of the process when it connected to the caller (SO_PEERCRED, or the
            #   credentials that a bus reports). A pidfd requires it, otherwise the error is
            #   UidMissing: a pidfd identifies the process, but not the user that it acts for, since
            #   the process may have executed a set-uid program meanwhile. A caller that is neither
            #   root nor an owner of the action can pass only its own uid, which must also be the
            #   current real uid of the process.
            #   For a socket's peer and for the caller, the kernel recorded the user when they
            #   connected; a uid that differs from it gives the error NotAuthorized.
            # details: only for trusted callers: root, and the owners of the action.
            # always: evaluate the rules for root, too.
            # explain: return the explanation, if the caller is root or the authority's user.
            method Check(
              action: string,
              subject: ?int,
              uid: ?int,
              details: ?[string]string,
              allowInteractiveAuthentication: ?bool,
              always: ?bool,
              explain: ?bool
            ) -> (
              isAuthorized: bool,
              isChallenge: bool,
              details: [string]string,
              explanation: ?[]Step
            )

            # Lists the actions, with texts in the locale.
            method ListActions(locale: ?string) -> (actions: []Action)

            # Lists the caller's temporary authorizations; root gets all.
            method ListTemporaryAuthorizations() -> (temporaryAuthorizations: []TemporaryAuthorization)

            # Revokes a temporary authorization of the caller's user; root can revoke any.
            method RevokeTemporaryAuthorization(id: string) -> ()

            # Reads actions and rules again. Only for root and the authority's own user.
            method Reload() -> ()

            # Returns the metrics of the rule engine. Only for root and the authority's own user.
            # evaluators: threads that evaluate rules.
            # stuck: threads that were abandoned in a built-in function and still run.
            # stuckEver: threads that were abandoned since the start.
            # programs: running programs of polkit.spawn.
            method GetRuleMetrics() -> (evaluators: int, stuck: int, stuckEver: int, programs: int)

            # The subject has exited, or cannot be held.
            error SubjectGone (reason: string)
            # The call passes a pidfd without the uid of its process at connect time.
            error UidMissing (reason: string)
            # The caller may not make this request.
            error NotAuthorized (reason: string)
            error Cancelled (reason: string)
            error Failed (reason: string)
            """;

    private final AuthorityEngine engine;
    private final VarlinkServer server;
    private final long ownUid;

    private AuthorityInterface(AuthorityEngine engine) {
        this.engine = engine;
        this.ownUid = io.holdfast.core.sys.Unistd.geteuid();
        this.server =
                VarlinkServer.builder()
                        .limits(ServerLimits.small())
                        .identity("Holdfast", "holdfast", "0.1.0", "")
                        .service(service())
                        .build();
    }

    /** Makes the interface of an engine; the caller adds listeners and sockets to its server. */
    public static AuthorityInterface of(AuthorityEngine engine) {
        return new AuthorityInterface(engine);
    }

    public VarlinkServer server() {
        return server;
    }

    private Service service() {
        return Service.of(Interface.parse(DEFINITION))
                .asyncMethod("Check", this::check, MethodOption.TAKES_DESCRIPTORS)
                .method("ListActions", this::listActions)
                .method("ListTemporaryAuthorizations", this::listTemporary)
                .asyncMethod("RevokeTemporaryAuthorization", this::revoke)
                .method("Reload", this::reload)
                .method("GetRuleMetrics", this::ruleMetrics)
                .build();
    }

    // ---- checks

    private CompletableFuture<JsonObject> check(Call call) {
        Caller caller = caller(call);
        JsonObject parameters = call.parameters();
        boolean explained = parameters.bool("explain", false) && isTrusted(caller);
        Subject.UnixProcess subject = subject(call);
        CheckRequest request =
                new CheckRequest(
                        caller,
                        subject,
                        parameters.string("action"),
                        strings(parameters.optionalObject("details")),
                        parameters.bool("allowInteractiveAuthentication", false),
                        parameters.bool("always", false),
                        "",
                        explained);
        CompletableFuture<Decision> decision = engine.check(request);
        call.onHangup(() -> {
            boolean ignored =
                    decision.completeExceptionally(
                            new AuthorityException(
                                    AuthorityException.Kind.CANCELLED, "the caller has gone"));
        });
        return decision.handle((answer, failure) -> {
            if (failure != null) {
                throw refusal(failure);
            }
            return json(answer, explained);
        });
    }

    private boolean isTrusted(Caller caller) {
        return caller.uid() == 0 || caller.uid() == ownUid;
    }

    /** Returns the caller, and refuses one that is not held by pidfd. The process is lent. */
    private static Caller caller(Call call) {
        return switch (call.peer()) {
            case Peer.Held held ->
                    new Caller(
                            "Varlink:" + held.uid(),
                            held.uid(),
                            Optional.of(Subject.UnixProcess.of(held)));
            case Peer.BestEffort _, Peer.Gone _ -> throw VarlinkException.permissionDenied();
        };
    }

    private static Subject.UnixProcess subject(Call call) {
        OptionalLong uid = call.parameters().optionalInteger("uid");
        if (uid.isPresent() && (uid.getAsLong() < 0 || uid.getAsLong() > Authority.MAX_UID)) {
            throw VarlinkException.invalidParameter("uid");
        }
        OptionalLong index = call.parameters().optionalInteger("subject");
        if (index.isEmpty()) {
            return connected(caller(call).process().orElseThrow().duplicate(), uid);
        }
        try (Fd fd =
                call.takeDescriptor((int) Math.min(index.getAsLong(), Integer.MAX_VALUE))
                        .orElseThrow(() -> VarlinkException.invalidParameter("subject"))) {
            Optional<Peer> peer = peerOf(fd);
            if (peer.isEmpty()) {
                return held(fd, uid);
            }
            return switch (peer.get()) {
                case Peer.Held held -> connected(Subject.UnixProcess.of(held), uid);
                case Peer.BestEffort _, Peer.Gone _ ->
                        throw gone("the peer of the socket could not be held");
            };
        }
    }

    /** Returns a process whose user the kernel recorded at its connection; refuses another uid. */
    private static Subject.UnixProcess connected(Subject.UnixProcess process, OptionalLong uid) {
        if (uid.isPresent() && uid.getAsLong() != process.uid()) {
            process.close();
            throw new VarlinkException(
                    Authority.VARLINK_INTERFACE + ".NotAuthorized",
                    JsonObject.of(
                            "reason",
                            "uid %d: the process connected as user %d; leave uid out"
                                    .formatted(uid.getAsLong(), process.uid())));
        }
        return process;
    }

    private static Subject.UnixProcess held(Fd fd, OptionalLong uid) {
        try {
            PidFd process = PidFd.adopt(fd);
            try {
                if (process.isThread()) {
                    throw VarlinkException.invalidParameter("subject");
                }
                if (process.state() == PidFd.State.REAPED) {
                    throw gone(process + " is reaped");
                }
                if (uid.isEmpty()) {
                    throw new VarlinkException(
                            Authority.VARLINK_INTERFACE + ".UidMissing",
                            JsonObject.of(
                                    "reason",
                                    "a pidfd needs the uid that its process had when it connected to"
                                            + " you (SO_PEERCRED): it may have executed a set-uid"
                                            + " program since. Pass that uid, or the connected"
                                            + " socket instead of the pidfd"));
                }
                return Subject.UnixProcess.claimed(process, uid.getAsLong(), Origin.DESCRIPTOR);
            } catch (RuntimeException e) {
                process.close();
                throw e;
            }
        } catch (ErrnoException e) {
            throw refusal(e);
        }
    }

    /** Returns the peer of a connected socket; empty if the descriptor is not a socket. */
    private static Optional<Peer> peerOf(Fd fd) {
        try {
            return Peer.of(fd);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOTSOCK) {
                return Optional.empty();
            }
            throw refusal(e);
        }
    }

    private static VarlinkException refusal(ErrnoException e) {
        return switch (e.errno()) {
            case Errno.ESRCH -> gone(String.valueOf(e.getMessage()));
            case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM -> error(e); // the subject may be valid
            default -> VarlinkException.invalidParameter("subject");
        };
    }

    private static VarlinkException gone(String reason) {
        return new VarlinkException(
                Authority.VARLINK_INTERFACE + ".SubjectGone", JsonObject.of("reason", reason));
    }

    private static Map<String, String> strings(Optional<JsonObject> object) {
        Map<String, String> strings = new LinkedHashMap<>();
        object.ifPresent(
                each -> each.fields().keySet().forEach(key -> strings.put(key, each.string(key))));
        return strings;
    }

    private VarlinkException refusal(Throwable failure) {
        Throwable cause = causeOf(failure);
        if (cause instanceof AuthorityException refused) {
            engine.countRefusal(refused);
        }
        return error(cause);
    }

    private static Throwable causeOf(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }

    private static VarlinkException error(Throwable cause) {
        JsonObject reason = JsonObject.of("reason", String.valueOf(cause.getMessage()));
        String word =
                cause instanceof AuthorityException refused
                        ? switch (refused.kind()) {
                            case NOT_AUTHORIZED -> "NotAuthorized";
                            case CANCELLED -> "Cancelled";
                            default -> "Failed";
                        }
                        : "Failed";
        return new VarlinkException(Authority.VARLINK_INTERFACE + "." + word, reason);
    }

    private static JsonObject json(Decision decision, boolean explained) {
        JsonObject.Builder json =
                JsonObject.builder()
                        .put("isAuthorized", decision.isAuthorized())
                        .put("isChallenge", decision.isChallenge())
                        .put("details", json(decision.details()));
        if (explained) {
            decision.explanation()
                    .ifPresent(each ->
                            json.put(
                                    "explanation",
                                    each.steps().stream().map(AuthorityInterface::json).toList()));
        }
        return json.build();
    }

    private static JsonObject json(Explanation.Step step) {
        return JsonObject.builder()
                .put("topic", step.topic())
                .put("text", step.text())
                .putIfPresent(
                        "place",
                        step.place().isEmpty() ? Optional.empty() : Optional.of(step.place()))
                .build();
    }

    private static JsonObject json(Map<String, String> strings) {
        JsonObject.Builder json = JsonObject.builder();
        strings.forEach(json::put);
        return json.build();
    }

    // ---- other methods

    private JsonObject listActions(Call call) {
        String locale = call.parameters().optionalString("locale").orElse("");
        List<JsonObject> list =
                engine.actions().actions().stream().map(action -> json(action, locale)).toList();
        return JsonObject.builder().put("actions", list).build();
    }

    private static JsonObject json(Action action, String locale) {
        return JsonObject.builder()
                .put("id", action.id())
                .put("description", action.description().in(locale))
                .put("message", action.message().in(locale))
                .put("vendor", action.vendor())
                .put("vendorUrl", action.vendorUrl())
                .put("iconName", action.iconName())
                .put("allowAny", action.any().word())
                .put("allowInactive", action.inactive().word())
                .put("allowActive", action.active().word())
                .put("annotations", json(action.annotations()))
                .build();
    }

    private JsonObject listTemporary(Call call) {
        List<Json> list =
                engine.temporaryAuthorizations(caller(call)).stream()
                        .flatMap(each -> json(each).stream())
                        .toList();
        return JsonObject.builder().put("temporaryAuthorizations", list).build();
    }

    /** Returns the entry of an authorization; empty if its process has just gone. */
    private static Optional<Json> json(TemporaryAuthorization each) {
        ProcessId process;
        try {
            process = each.subject().pidFd().processId();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return Optional.empty();
            }
            throw e;
        } catch (IllegalStateException e) { // closed meanwhile
            return Optional.empty();
        }
        return Optional.of(
                JsonObject.builder()
                        .put("id", each.id())
                        .put("action", each.action())
                        .put("process", json(process))
                        .put("uid", each.subject().uid())
                        .put("obtained", each.obtained().getEpochSecond())
                        .put("expires", each.expires().getEpochSecond())
                        .build());
    }

    private static JsonObject json(ProcessId id) {
        return JsonObject.builder()
                .put("pid", id.pid())
                .putIfPresent("pidfdId", id.pidfdId())
                .putIfPresent("bootId", id.bootId().map(UUID::toString))
                .build();
    }

    private CompletableFuture<JsonObject> revoke(Call call) {
        return engine.revoke(caller(call), call.parameters().string("id"))
                .handle((_, failure) -> {
                    if (failure != null) {
                        throw refusal(failure);
                    }
                    return JsonObject.EMPTY;
                });
    }

    private JsonObject reload(Call call) {
        if (!isTrusted(caller(call))) {
            throw VarlinkException.permissionDenied();
        }
        engine.reload();
        return JsonObject.EMPTY;
    }

    private JsonObject ruleMetrics(Call call) {
        if (!isTrusted(caller(call))) {
            throw VarlinkException.permissionDenied();
        }
        RuleMetrics metrics = engine.ruleMetrics();
        return JsonObject.builder()
                .put("evaluators", metrics.evaluators())
                .put("stuck", metrics.stuck())
                .put("stuckEver", metrics.stuckEver())
                .put("programs", metrics.programs())
                .build();
    }

    @Override
    public void close() {
        server.close();
    }
}
