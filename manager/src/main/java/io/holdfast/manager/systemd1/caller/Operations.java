package io.holdfast.manager.systemd1.caller;

import io.holdfast.core.Signal;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Guard;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.access.Permission.Verb;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.systemd1.property.UnitDescription;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The operations on units: each first checks the caller's permission, and then acts on the event
 * loop.
 */
public final class Operations {
    /** The requested job, where it depends on the state of the unit. */
    public enum JobRequest {
        START(JobType.START, Verb.START),
        VERIFY_ACTIVE(JobType.VERIFY_ACTIVE, Verb.START),
        NOP(JobType.NOP, Verb.START),
        STOP(JobType.STOP, Verb.STOP),
        RELOAD(JobType.RELOAD, Verb.RELOAD),
        RESTART(JobType.RESTART, Verb.RESTART),
        TRY_RESTART(JobType.TRY_RESTART, Verb.RESTART),
        TRY_RELOAD(JobType.TRY_RELOAD, Verb.RELOAD),
        RELOAD_OR_START(JobType.RELOAD_OR_START, Verb.RELOAD),
        RELOAD_OR_RESTART(JobType.RESTART, Verb.RELOAD),
        RELOAD_OR_TRY_RESTART(JobType.TRY_RESTART, Verb.RELOAD);

        private final JobType type;
        private final Verb verb;

        JobRequest(JobType type, Verb verb) {
            this.type = type;
            this.verb = verb;
        }

        /** Returns the request of that name, as {@code EnqueueUnitJob} has it. */
        private static JobRequest of(String word) {
            for (JobRequest request : values()) {
                if (request.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(word)) {
                    return request;
                }
            }
            throw Errors.invalid("Job type " + word + " invalid");
        }

        private boolean mayReload() {
            return this == RELOAD_OR_RESTART || this == RELOAD_OR_TRY_RESTART;
        }
    }

    private final ManagerView manager;
    private final Guard guard;
    private final Guard owners = new Guard(Permission.ofOwners());
    private final Broadcast broadcast;

    public Operations(ManagerView manager, Guard guard, Broadcast broadcast) {
        this.manager = manager;
        this.broadcast = broadcast;
        this.guard = guard;
    }

    public static UnitName name(String text) {
        return UnitName.parse(text)
                .orElseThrow(() -> Errors.invalid("Unit name " + quoted(text) + " is not valid."));
    }

    /** Returns the name of a unit that can be loaded: a template cannot. */
    public static UnitName unitName(String text) {
        UnitName name = name(text);
        if (name.isTemplate()) {
            throw Errors.invalid("Unit name " + name + " is missing the instance name.");
        }
        return name;
    }

    static String quoted(String text) {
        return text.isEmpty() ? "(empty)" : text;
    }

    public static JobMode mode(String word) {
        return switch (word) {
            case "replace" -> JobMode.REPLACE;
            case "fail" -> JobMode.FAIL;
            case "replace-irreversibly" -> JobMode.REPLACE_IRREVERSIBLY;
            case "ignore-dependencies" -> JobMode.IGNORE_DEPENDENCIES;
            case "ignore-requirements" -> JobMode.IGNORE_REQUIREMENTS;
            case "restart-dependencies" -> JobMode.RESTART_DEPENDENCIES;
            case "triggering" -> JobMode.TRIGGERING;
            case "isolate" -> JobMode.ISOLATE;
            case "flush" -> JobMode.FLUSH;
            case "lenient" -> throw NotOffered.error("The job mode " + word);
            default -> throw Errors.invalid("Job mode " + word + " invalid");
        };
    }

    // ---- jobs

    /** Requests a job; the reply is its path. */
    public void job(
            MethodCall call,
            String unit,
            String modeWord,
            JobRequest request,
            CompletableFuture<List<?>> reply) {
        job(
                call,
                unit,
                modeWord,
                request,
                jobs -> List.of(Names.jobPath(jobs.getFirst().id())),
                reply);
    }

    /**
     * Requests a job; the reply describes it and the jobs that it entails: {@code uososa(uosos)}.
     */
    public void transaction(
            MethodCall call,
            String unit,
            String typeWord,
            String modeWord,
            CompletableFuture<List<?>> reply) {
        job(call, unit, modeWord, JobRequest.of(typeWord), Operations::described, reply);
    }

    private static List<?> described(List<UnitJob> jobs) {
        List<Object> reply = new ArrayList<>(described(jobs.getFirst()));
        reply.add(jobs.stream().skip(1).map(Operations::described).toList());
        return reply;
    }

    private static List<?> described(UnitJob job) {
        return List.of(
                job.id(),
                new ObjectPath(Names.jobPath(job.id())),
                job.unit().text(),
                new ObjectPath(Names.path(job.unit())),
                job.type().word());
    }

    private void job(
            MethodCall call,
            String unit,
            String modeWord,
            JobRequest request,
            Function<List<UnitJob>, List<?>> described,
            CompletableFuture<List<?>> reply) {
        UnitName name = unitName(unit);
        JobMode mode = mode(modeWord);
        if (request.type != JobType.STOP && request.type != JobType.RELOAD) {
            NotOffered.requireOffered(name);
        }
        CompletableFuture<List<UnitJob>> answer = new CompletableFuture<>();
        var _ =
                answer.whenComplete((jobs, failure) -> {
                    if (jobs == null) {
                        fail(reply, failure);
                    } else {
                        broadcast.track(call, jobs.getFirst());
                        reply.complete(described.apply(jobs));
                    }
                });
        permitted(call, name, request.verb, reply, () -> enqueue(name, mode, request, answer));
    }

    private void enqueue(
            UnitName name,
            JobMode mode,
            JobRequest request,
            CompletableFuture<List<UnitJob>> answer) {
        if (!request.mayReload()) {
            manager.jobs().enqueueAll(name, request.type, mode, answer);
            return;
        }
        var _ =
                manager.read(name)
                        .whenComplete((unit, failure) -> {
                            if (unit == null) {
                                answer.completeExceptionally(failure);
                            } else {
                                manager.jobs()
                                        .enqueueAll(
                                                name, reloadOr(request.type, unit), mode, answer);
                            }
                        });
    }

    private static JobType reloadOr(JobType otherwise, UnitView unit) {
        if (!unit.unit().canReload()) {
            return otherwise;
        }
        return otherwise == JobType.RESTART ? JobType.RELOAD_OR_START : JobType.TRY_RELOAD;
    }

    /** Cancels a job; what it has begun in its unit continues. */
    public void cancel(MethodCall call, long id, CompletableFuture<List<?>> reply) {
        changeJobs(
                call,
                reply,
                () -> {
                    if (!manager.jobs().cancel(id)) {
                        throw noSuchJob(id);
                    }
                });
    }

    public void cancelAll(MethodCall call, CompletableFuture<List<?>> reply) {
        changeJobs(call, reply, manager.jobs()::cancelAll);
    }

    private void changeJobs(MethodCall call, CompletableFuture<List<?>> reply, Runnable change) {
        permitted(
                call,
                Permission.MANAGE_UNITS,
                Map.of(),
                reply,
                onLoop(
                        reply,
                        () -> {
                            change.run();
                            reply.complete(List.of());
                        }));
    }

    public static DBusException noSuchJob(long id) {
        return Errors.of(Errors.NO_SUCH_JOB, "Job " + id + " does not exist.");
    }

    // ---- everything else

    public void kill(
            MethodCall call,
            String unit,
            String whom,
            int signal,
            OptionalInt value,
            CompletableFuture<List<?>> reply) {
        UnitName name = name(unit);
        if (signal < 1 || signal > 64) {
            throw Errors.invalid("Signal number out of range.");
        }
        boolean mustHit = whom.endsWith("-fail");
        KillWhom target =
                switch (mustHit ? whom.substring(0, whom.length() - "-fail".length()) : whom) {
                    case "main" -> KillWhom.MAIN;
                    case "control" -> KillWhom.CONTROL;
                    case "all", "" -> KillWhom.ALL;
                    default -> throw Errors.invalid("Invalid who argument " + whom);
                };
        permitted(
                call,
                name,
                Verb.KILL,
                reply,
                () -> {
                    UnitView _ = loaded(name);
                    boolean hit = manager.kill(name, new Signal(signal), target, value);
                    if (!hit && (mustHit || target != KillWhom.ALL)) {
                        throw Errors.of(
                                Errors.NO_SUCH_PROCESS,
                                switch (target) {
                                    case MAIN -> "No main process to kill";
                                    case CONTROL -> "No control process to kill";
                                    case ALL -> "No matching processes to kill";
                                });
                    }
                    reply.complete(List.of());
                });
    }

    public UnitView loaded(UnitName name) {
        return manager.unit(name)
                .orElseThrow(() -> Errors.of(Errors.NO_SUCH_UNIT, "Unit " + name + " not loaded."));
    }

    public void resetFailed(MethodCall call, String unit, CompletableFuture<List<?>> reply) {
        UnitName name = name(unit);
        permitted(
                call,
                name,
                Verb.RESET_FAILED,
                reply,
                () -> {
                    UnitView _ = loaded(name);
                    boolean _ = manager.resetFailed(name);
                    reply.complete(List.of());
                });
    }

    /**
     * Releases what a unit keeps for its next run.
     *
     * @param what the kinds; only {@code fdstore} is supported
     */
    public void clean(
            MethodCall call, String unit, List<String> what, CompletableFuture<List<?>> reply) {
        UnitName name = name(unit);
        for (String kind : what) {
            if (!kind.equals("fdstore")) {
                throw NotOffered.error("Cleaning '" + kind + "'");
            }
        }
        permitted(
                call,
                name,
                Verb.CLEAN,
                reply,
                () -> {
                    UnitView _ = loaded(name);
                    if (!manager.releaseDescriptors(name)) {
                        throw Errors.of(
                                Errors.UNIT_BUSY, "Unit is not inactive or has pending job.");
                    }
                    reply.complete(List.of());
                });
    }

    /**
     * Changes properties of a unit that exists, loaded or not.
     *
     * @param runtime whether the changes last until the next boot only
     */
    public void setProperties(
            MethodCall call,
            String unit,
            boolean runtime,
            List<?> properties,
            CompletableFuture<List<?>> reply) {
        UnitName name = name(unit);
        UnitDescription changes = UnitDescription.changes(name.type(), properties);
        permitted(
                call,
                name,
                Verb.SET_PROPERTY,
                reply,
                () -> {
                    var _ =
                            set(name, runtime, changes)
                                    .whenComplete((_, failure) -> {
                                        if (failure == null) {
                                            reply.complete(List.of());
                                        } else {
                                            fail(reply, failure);
                                        }
                                    });
                });
    }

    private CompletableFuture<?> set(UnitName name, boolean runtime, UnitDescription changes) {
        if (changes.markers().isEmpty()) {
            return manager.files().setProperties(name, runtime, changes.lines());
        }
        return changes.lines().isEmpty()
                ? manager.mark(name, changes.markers())
                : manager.files()
                        .setProperties(name, runtime, changes.lines())
                        .thenCompose(_ -> manager.mark(name, changes.markers()));
    }

    /** Requests the jobs of all marked units, also if one of them is refused. */
    public void enqueueMarked(MethodCall call, CompletableFuture<List<?>> reply) {
        permitted(
                call,
                Permission.MANAGE_UNITS,
                Map.of(),
                reply,
                onLoop(reply, () -> enqueueMarkedHere(call, reply)));
    }

    private void enqueueMarkedHere(MethodCall call, CompletableFuture<List<?>> reply) {
        List<CompletableFuture<ObjectPath>> jobs =
                manager.jobs().enqueueMarked().values().stream()
                        .map(answer ->
                                answer.thenApply(job -> {
                                    broadcast.track(call, job);
                                    return new ObjectPath(Names.jobPath(job.id()));
                                }))
                        .toList();
        var _ =
                CompletableFuture.allOf(jobs.toArray(CompletableFuture[]::new))
                        .whenComplete((_, failure) -> {
                            if (failure == null) {
                                reply.complete(
                                        List.of(
                                                jobs.stream()
                                                        .map(CompletableFuture::join)
                                                        .toList()));
                            } else {
                                fail(reply, failure);
                            }
                        });
    }

    public void resetAllFailed(MethodCall call, CompletableFuture<List<?>> reply) {
        permitted(
                call,
                Permission.MANAGE_UNITS,
                Map.of(),
                reply,
                onLoop(
                        reply,
                        () -> {
                            manager.names().forEach(manager::resetFailed);
                            reply.complete(List.of());
                        }));
    }

    public void permitted(
            MethodCall call,
            UnitName unit,
            Verb verb,
            CompletableFuture<List<?>> reply,
            Runnable then) {
        permitted(call, Permission.MANAGE_UNITS, verb.details(unit), reply, onLoop(reply, then));
    }

    /**
     * Continues if the caller has permission; otherwise the reply is AccessDenied.
     *
     * @param then called on any thread; must not wait
     */
    public void permitted(
            MethodCall call,
            String action,
            Map<String, String> details,
            CompletableFuture<List<?>> reply,
            Runnable then) {
        permitted(
                call, new Permission.Question(action, details, call.isInteractive()), reply, then);
    }

    private void permitted(
            MethodCall call,
            Permission.Question question,
            CompletableFuture<List<?>> reply,
            Runnable then) {
        var _ =
                guard.permit(() -> peerOf(call), List.of(question))
                        .whenComplete((_, failure) -> {
                            if (failure == null) {
                                then.run();
                            } else {
                                fail(reply, failure);
                            }
                        });
    }

    /**
     * Continues only for root and the manager's user, whatever an authority says, with the identity
     * of the caller.
     *
     * @param then as for {@link #permittedPeer}
     */
    public void permittedOwner(
            MethodCall call, CompletableFuture<List<?>> reply, Consumer<Peer> then) {
        permittedOwners(call, reply, () -> withPeer(call, reply, then));
    }

    /** Continues only for root and the manager's user, whatever an authority says. */
    public void permittedOwners(MethodCall call, CompletableFuture<List<?>> reply, Runnable then) {
        var _ =
                owners.permit(
                                () -> peerOf(call),
                                List.of(
                                        new Permission.Question(
                                                Permission.MANAGE_UNITS, Map.of(), false)))
                        .whenComplete((_, failure) -> {
                            if (failure == null) {
                                then.run();
                            } else {
                                fail(reply, failure);
                            }
                        });
    }

    /**
     * Continues if the caller has permission, with the identity of the caller.
     *
     * @param then called on a thread that may wait, with a peer that it must not close; an
     *     exception of it becomes the reply
     */
    public void permittedPeer(
            MethodCall call,
            Permission.Question question,
            CompletableFuture<List<?>> reply,
            Consumer<Peer> then) {
        permitted(call, question, reply, () -> withPeer(call, reply, then));
    }

    private static void withPeer(
            MethodCall call, CompletableFuture<List<?>> reply, Consumer<Peer> then) {
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus call that needs authorization")
                        .start(() -> {
                            try {
                                then.accept(call.peer()); // known: it was checked
                            } catch (InterruptedException | RuntimeException e) {
                                fail(reply, e);
                            }
                        });
    }

    /**
     * Looks up the user of a caller, and continues on the loop whoever it is.
     *
     * @param then an exception of it becomes the reply
     */
    public void identified(MethodCall call, CompletableFuture<List<?>> reply, LongConsumer then) {
        var _ =
                Thread.ofVirtual()
                        .name("user of a D-Bus call")
                        .start(() -> {
                            try {
                                long user = call.peer().uid();
                                onLoop(reply, () -> then.accept(user)).run();
                            } catch (InterruptedException | RuntimeException e) {
                                fail(reply, e);
                            }
                        });
    }

    private static @Nullable Peer peerOf(MethodCall call) throws InterruptedException {
        try {
            return call.peer();
        } catch (DBusException | ConnectionLostException e) {
            return null; // disconnected
        }
    }

    /** Runs a task on the loop; an exception of it becomes the reply. */
    public Runnable onLoop(CompletableFuture<List<?>> reply, Runnable task) {
        return () -> {
            try {
                manager.loop()
                        .post(() -> {
                            try {
                                task.run();
                            } catch (RuntimeException e) {
                                fail(reply, e);
                            }
                        });
            } catch (RejectedExecutionException e) {
                reply.completeExceptionally(
                        new DBusException(
                                DBusException.LIMITS_EXCEEDED, String.valueOf(e.getMessage())));
            }
        };
    }

    public static void fail(CompletableFuture<List<?>> reply, @Nullable Throwable failure) {
        reply.completeExceptionally(
                Errors.of(failure == null ? new IllegalStateException("no answer") : failure));
    }
}
