package io.holdfast.manager.varlink;

import io.holdfast.core.Fd;
import io.holdfast.core.Registration;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.access.Permission.Question;
import io.holdfast.manager.access.Permission.Verb;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.request.TransientUnit;
import io.holdfast.manager.runtime.TransientResources;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.systemd1.caller.CommandQuestion;
import io.holdfast.manager.systemd1.property.UnitDescription;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.StandardDescriptor;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The method {@code StartTransient}. */
final class TransientStart {
    private final Interface definition;
    private final SystemdCalls calls;
    private final UnitService units;

    TransientStart(Interface definition, SystemdCalls calls, UnitService units) {
        this.definition = definition;
        this.calls = calls;
        this.units = units;
    }

    CompletableFuture<JsonObject> start(Call call) {
        JsonObject context = call.parameters().object("context");
        UnitName name =
                UnitName.parse(context.string("ID"))
                        .filter(valid -> !valid.isTemplate())
                        .orElseThrow(() -> VarlinkException.invalidParameter("context"));
        // the interface has no way to name the processes of a scope
        if (!name.type().canBeMade() || name.type().isTransient()) {
            throw UnitErrors.of("UnitTypeNotSupported");
        }
        JobMode mode = mode(call.parameters().optionalString("mode").orElse("replace"));
        UnitDescription unit = description(name, context);
        return calls.permitted(
                call,
                question(call, name, unit, mode),
                () -> {
                    TransientUnit made = new TransientUnit(name, unit.text(), taken(call, unit));
                    return begin(call, made, mode);
                });
    }

    private UnitDescription description(UnitName name, JsonObject context) {
        try {
            return UnitDescription.of(
                    name.type(), ContextProperties.of(definition, name.type(), context));
        } catch (VarlinkException e) {
            throw e;
        } catch (RuntimeException e) {
            throw UnitErrors.of(e) instanceof VarlinkException known ? known : e;
        }
    }

    private static JobMode mode(String word) {
        if (word.equals("lenient")) {
            throw VarlinkException.invalidParameter("mode"); // as over D-Bus
        }
        return JobMode.valueOf(word.toUpperCase(Locale.ROOT));
    }

    private static Question question(Call call, UnitName name, UnitDescription unit, JobMode mode) {
        Question start =
                SystemdCalls.question(call, Permission.MANAGE_UNITS, Verb.START.details(name));
        return unit.commands().isEmpty()
                ? start
                : CommandQuestion.of(name, unit, mode, true, start.interactive());
    }

    /** Takes the descriptors of a call; one that several streams name is duplicated. */
    private static TransientResources taken(Call call, UnitDescription unit) {
        Map<Handle, Fd> received = new HashMap<>();
        Map<StandardDescriptor, Fd> streams = new EnumMap<>(StandardDescriptor.class);
        try {
            unit.streams()
                    .forEach((which, handle) -> {
                        Fd known = received.get(handle);
                        Fd fd =
                                known != null
                                        ? known.duplicate()
                                        : call.takeDescriptor(handle.index())
                                                .orElseThrow(() ->
                                                        VarlinkException.invalidParameter(
                                                                "context"));
                        boolean _ = received.putIfAbsent(handle, fd) == null;
                        streams.put(which, fd);
                    });
            return new TransientResources(List.of(), List.of(), streams);
        } catch (RuntimeException e) {
            streams.values().forEach(Fd::close);
            throw e;
        }
    }

    private CompletableFuture<JsonObject> begin(Call call, TransientUnit unit, JobMode mode) {
        CompletableFuture<JsonObject> reply = new CompletableFuture<>();
        CompletableFuture<UnitJob> queued = new CompletableFuture<>();
        boolean jobs = call.parameters().bool("notifyJobChanges", false);
        boolean states = call.parameters().bool("notifyUnitChanges", false);
        var _ =
                queued.whenComplete((job, failure) -> {
                    if (job == null) {
                        reply.completeExceptionally(failure);
                    } else if (call.wantsMore() && (jobs || states)) {
                        new Following(call, job, jobs, states, reply).begin();
                    } else {
                        finish(call, job, job(job, null), reply);
                    }
                });
        calls.manager().startTransient(List.of(unit), mode, queued);
        return reply;
    }

    /** Replies with the unit as it is now. */
    private void finish(
            Call call, UnitJob job, JsonObject jobJson, CompletableFuture<JsonObject> reply) {
        long user = call.peer().uid();
        var _ =
                calls.manager()
                        .read(job.unit(), user)
                        .thenCompose(unit -> units.describe(unit, user))
                        .whenComplete((unit, failure) -> {
                            if (unit == null) {
                                reply.completeExceptionally(failure);
                            } else {
                                reply.complete(
                                        JsonObject.builder()
                                                .put("context", unit.object("context"))
                                                .put("runtime", unit.object("runtime"))
                                                .put("job", jobJson)
                                                .build());
                            }
                        });
    }

    private static JsonObject job(UnitJob job, @Nullable JobResult result) {
        JsonObject.Builder json =
                JsonObject.builder()
                        .put("Id", job.id())
                        .put("JobType", job.type().word().replace('-', '_'))
                        .put("State", result == null ? job.state() : "finished");
        if (result != null) {
            json.put("Result", result.word());
        }
        return json.build();
    }

    /** Replies to each change until a job has ended, or its caller is gone. Used on the loop. */
    private final class Following implements UnitListener {
        private final Call call;
        private final UnitJob job;
        private final boolean jobs;
        private final boolean states;
        private final CompletableFuture<JsonObject> reply;
        private @Nullable Registration listening;
        private boolean isRunning;

        Following(
                Call call,
                UnitJob job,
                boolean jobs,
                boolean states,
                CompletableFuture<JsonObject> reply) {
            this.call = call;
            this.job = job;
            this.jobs = jobs;
            this.states = states;
            this.reply = reply;
        }

        void begin() {
            listening = calls.manager().listen(this);
            if (jobs) {
                call.send(JsonObject.of("job", job(job, null)));
            }
            call.onHangup(() -> calls.manager().loop().postEnding(this::leave));
        }

        private void leave() {
            stop();
            reply.complete(JsonObject.EMPTY);
        }

        private void stop() {
            if (listening != null) {
                listening.cancel();
            }
        }

        @Override
        public void unitNew(UnitName unit) {}

        @Override
        public void jobNew(UnitJob other) {}

        @Override
        public void unitChanged(UnitName unit) {
            if (!unit.equals(job.unit())) {
                return;
            }
            UnitJob now = calls.manager().jobs().find(job.id()).orElse(job);
            if (jobs && now.isRunning() && !isRunning) {
                isRunning = true;
                call.send(JsonObject.of("job", job(now, null)));
            }
            if (states) {
                calls.manager()
                        .unit(unit)
                        .map(units::runtime)
                        .ifPresent(runtime -> call.send(JsonObject.of("runtime", runtime)));
            }
        }

        @Override
        public void jobRemoved(UnitJob ended, JobResult result) {
            if (ended.id() == job.id()) {
                stop();
                finish(call, ended, job(ended, result), reply);
            }
        }
    }
}
