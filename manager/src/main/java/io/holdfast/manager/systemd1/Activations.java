package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Message;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.unit.UnitName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * Starts units for names that the bus wants to be owned, and reports to the bus those that cannot
 * be started, so that its callers need not wait for a timeout.
 */
final class Activations implements UnitListener {
    private final ManagerView manager;
    private final Supplier<Optional<BusConnection>> bus;
    private final CutOffServices cutOff;
    private final Map<Long, String> requested = new HashMap<>(); // used on the loop

    Activations(ManagerView manager, Supplier<Optional<BusConnection>> bus) {
        this.manager = manager;
        this.bus = bus;
        this.cutOff = new CutOffServices(manager, bus);
    }

    /** Handles the loss of the bus, with all connections to it. */
    void busLost() {
        cutOff.busLost();
    }

    /**
     * Handles {@code ActivationRequest(s unit)}, which the bus itself sends. Callable from any
     * thread.
     */
    void request(Message signal) {
        List<Object> values = signal.values();
        if (values.size() == 1 && values.getFirst() instanceof String unit) {
            try {
                manager.loop().post(() -> start(unit));
            } catch (RejectedExecutionException e) {
                failed(unit, Errors.of("ShuttingDown", "The manager does not take more."));
            }
        }
    }

    private void start(String unit) {
        Optional<UnitName> name = UnitName.parse(unit);
        if (name.isPresent()) {
            cutOff.activationRequested(
                    name.get(), () -> enqueue(unit, name.get(), JobType.RESTART));
            enqueue(unit, name.get(), JobType.START);
        } else {
            failed(unit, Errors.invalid("Unit name " + unit + " is not valid."));
        }
    }

    private void enqueue(String unit, UnitName name, JobType type) {
        CompletableFuture<UnitJob> answer = new CompletableFuture<>();
        var _ =
                answer.whenComplete((job, failure) -> {
                    if (job != null) {
                        requested.put(job.id(), unit);
                    } else {
                        failed(
                                unit,
                                failure == null
                                        ? new IllegalStateException("no answer")
                                        : Errors.of(failure));
                    }
                });
        manager.jobs().enqueue(name, type, JobMode.REPLACE, answer);
    }

    private void failed(String unit, Throwable failure) {
        String error = failure instanceof DBusException known ? known.name() : DBusException.FAILED;
        String text =
                failure instanceof DBusException known
                        ? known.text()
                        : String.valueOf(failure.getMessage());
        bus.get()
                .ifPresent(connection ->
                        connection.offerSignal(
                                "org.freedesktop.DBus",
                                Names.MANAGER_PATH,
                                Names.ACTIVATOR,
                                "ActivationFailure",
                                "sss",
                                unit,
                                error,
                                text));
    }

    @Override
    public void unitNew(UnitName unit) {}

    @Override
    public void unitChanged(UnitName unit) {}

    @Override
    public void jobNew(UnitJob job) {}

    @Override
    public void jobRemoved(UnitJob job, JobResult result) {
        String unit = requested.remove(job.id());
        if (unit != null && result != JobResult.DONE) {
            failed(
                    unit,
                    Errors.of(
                            "JobFailed",
                            "Job for " + job.unit() + " ended: " + result.word() + "."));
        }
    }
}
