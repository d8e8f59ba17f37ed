package io.holdfast.bus;

import io.holdfast.bus.account.LimitTable;
import io.holdfast.bus.activation.ServiceActivation;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.connection.RefusalLog;
import io.holdfast.bus.driver.BusFacts;
import io.holdfast.bus.driver.Driver;
import io.holdfast.bus.driver.MachineId;
import io.holdfast.bus.policy.PolicySet;
import io.holdfast.bus.service.ActivatableServices;
import io.holdfast.bus.service.Activator;
import io.holdfast.core.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the configuration of a bus again and applies it. Reading and compiling run on another
 * thread than the loop, because files and user lookups may be slow; an error leaves everything as
 * it was.
 */
final class Reload implements Driver.Reloading, AutoCloseable {
    private final EventLoop loop;
    private final ConfigSource source;
    private final Connections connections;
    private final Policies policies;
    private final ServiceActivation activation;
    private final BusFacts facts;
    private final RefusalLog log;
    private final ProcessSettings settings;
    private final ExecutorService reader =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("holdfast-bus-config").daemon().factory());
    private final List<Consumer<@Nullable String>> waiting = new ArrayList<>();
    private boolean underWay;

    Reload(
            ConfigSource source,
            Connections connections,
            Policies policies,
            ServiceActivation activation,
            BusFacts facts) {
        this.loop = connections.loop();
        this.source = source;
        this.connections = connections;
        this.policies = policies;
        this.activation = activation;
        this.facts = facts;
        this.log = connections.log();
        this.settings = new ProcessSettings(facts.uid());
    }

    /** Enables service starts. */
    void begin(Activator activator, ActivatableServices services, BusConfig config) {
        activation.begin(activator, services.byName());
        settings.logNew(settings.unserved(config), log);
        logConfigurationProblems(services);
    }

    @Override
    public void reload(Consumer<@Nullable String> done) {
        waiting.add(done);
        if (underWay) {
            return; // one more reload follows, for all requests that arrive meanwhile
        }
        underWay = true;
        List<Consumer<@Nullable String>> callbacks = List.copyOf(waiting);
        waiting.clear();
        reader.execute(() -> {
            Runnable result = read(callbacks);
            loop.postEnding(result);
        });
    }

    /** Returns what the loop runs to apply the result. */
    private Runnable read(List<Consumer<@Nullable String>> callbacks) {
        try {
            BusConfig fresh = source.load();
            ActivatableServices services =
                    ActivatableServices.load(fresh.serviceFolders(), "system".equals(fresh.type()));
            PolicySet compiled = policies.compile(fresh);
            LimitTable limits = Policies.limits(fresh);
            List<String> unserved = settings.unserved(fresh);
            String machine = MachineId.read();
            return () -> {
                facts.machineId(machine);
                settings.logNew(unserved, log);
                policies.reload(fresh, compiled, List.copyOf(connections.registered().values()));
                connections.charges().reload(limits, connections.open());
                activation.reload(services.byName());
                logConfigurationProblems(services);
                over(callbacks, null);
            };
        } catch (ConfigException | RuntimeException e) {
            String error = String.valueOf(e.getMessage());
            return () -> {
                log.reloadFailed(error);
                over(callbacks, error);
            };
        }
    }

    private void logConfigurationProblems(ActivatableServices services) {
        policies.unknown().forEach(log::unknown);
        connections.charges().unknown().forEach(log::unknown);
        services.skipped().forEach(log::skipped);
    }

    private void over(List<Consumer<@Nullable String>> callbacks, @Nullable String error) {
        underWay = false;
        callbacks.forEach(done -> done.accept(error));
        if (!waiting.isEmpty()) {
            reload(waiting.removeLast());
        }
    }

    @Override
    public void close() {
        reader.shutdown();
    }
}
