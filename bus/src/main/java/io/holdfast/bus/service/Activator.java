package io.holdfast.bus.service;

import io.holdfast.bus.activation.SpawnActivator;
import java.util.Map;

/**
 * Starts services on demand: for a name that nobody owns and a service file offers. A service
 * manager implements this to start units of its own; {@link SpawnActivator} starts the command of
 * the file.
 */
public interface Activator extends AutoCloseable {
    /** One start that was asked for. Its methods may be called by any thread, and late or twice. */
    interface Start {
        /**
         * It did not come up. Whoever waits for it is told.
         *
         * @param error the D-Bus name of the error
         * @param text for people
         */
        void failed(String error, String text);
    }

    /**
     * Begins to start a service, and returns at once: called by the thread of the bus. It has
     * succeeded when somebody owns the name, which the bus sees by itself; a service is not started
     * again while a start of it is under way.
     */
    void start(ServiceFile service, Start start);

    /**
     * What services that are started from now on have in their environment
     * (UpdateActivationEnvironment).
     */
    void setEnvironment(Map<String, String> variables);

    @Override
    void close();
}
