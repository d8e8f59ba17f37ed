package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.caller.Operations.JobRequest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * The operations on one unit. Each is a method of two interfaces: of the manager's, where the first
 * argument names the unit ({@code KillUnit}), and of the unit's own ({@code Kill}).
 */
final class UnitMethods {
    /** An operation, whose arguments begin at an index. */
    private interface Operation {
        void begin(MethodCall call, String unit, int first, CompletableFuture<List<?>> reply);
    }

    private final BusInterface.Builder builder;
    private final Operations operations;
    private final Optional<String> unit;

    private UnitMethods(
            BusInterface.Builder builder, Operations operations, Optional<String> unit) {
        this.builder = builder;
        this.operations = operations;
        this.unit = unit;
    }

    /**
     * Adds the methods to an interface.
     *
     * @param unit whose interface it is; empty: the manager's
     */
    static void addTo(BusInterface.Builder builder, Operations operations, Optional<String> unit) {
        new UnitMethods(builder, operations, unit).addAll();
    }

    private void addAll() {
        addJob("Start", JobRequest.START);
        addJob("Stop", JobRequest.STOP);
        addJob("Reload", JobRequest.RELOAD);
        addJob("Restart", JobRequest.RESTART);
        addJob("TryRestart", JobRequest.TRY_RESTART);
        addJob("ReloadOrRestart", JobRequest.RELOAD_OR_RESTART);
        addJob("ReloadOrTryRestart", JobRequest.RELOAD_OR_TRY_RESTART);
        add(
                "Enqueue",
                "Job",
                "ss",
                "uososa(uosos)",
                (call, name, first, reply) ->
                        operations.transaction(
                                call, name, call.string(first), call.string(first + 1), reply),
                "job_type",
                "job_mode",
                "job_id",
                "job_path",
                "unit_id",
                "unit_path",
                "job_type",
                "affected_jobs");
        add(
                "Kill",
                "",
                "si",
                "",
                (call, name, first, reply) -> kill(call, name, first, OptionalInt.empty(), reply),
                "whom",
                "signal");
        add(
                "QueueSignal",
                "",
                "sii",
                "",
                (call, name, first, reply) ->
                        kill(call, name, first, OptionalInt.of(number(call, first + 2)), reply),
                "whom",
                "signal",
                "value");
        add(
                "Set",
                "Properties",
                "ba(sv)",
                "",
                (call, name, first, reply) ->
                        operations.setProperties(
                                call,
                                name,
                                call.argument(first, Boolean.class),
                                call.argument(first + 1, List.class),
                                reply),
                "runtime",
                "properties");
        add(
                "ResetFailed",
                "",
                "",
                "",
                (call, name, _, reply) -> operations.resetFailed(call, name, reply));
    }

    private void addJob(String verb, JobRequest request) {
        add(
                verb,
                "",
                "s",
                "o",
                (call, name, first, reply) ->
                        operations.job(call, name, call.string(first), request, reply),
                "mode",
                "job");
    }

    private void kill(
            MethodCall call,
            String name,
            int first,
            OptionalInt value,
            CompletableFuture<List<?>> reply) {
        operations.kill(call, name, call.string(first), number(call, first + 1), value, reply);
    }

    private static int number(MethodCall call, int index) {
        return call.argument(index, Integer.class);
    }

    /**
     * @param object the part of the method's name that follows the word {@code Unit} of the
     *     manager's method
     */
    private void add(
            String verb,
            String object,
            String in,
            String out,
            Operation operation,
            String... arguments) {
        if (unit.isPresent()) {
            builder.asyncMethod(
                    verb + object,
                    in,
                    out,
                    (call, reply) -> operation.begin(call, unit.get(), 0, reply),
                    arguments);
        } else {
            builder.asyncMethod(
                    verb + "Unit" + object,
                    "s" + in,
                    out,
                    (call, reply) -> operation.begin(call, call.string(0), 1, reply),
                    Stream.concat(Stream.of("name"), Stream.of(arguments)).toArray(String[]::new));
        }
    }
}
