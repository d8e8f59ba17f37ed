package io.holdfast.bus.service;

import io.holdfast.bus.activation.SpawnActivator;
import java.util.Map;

/**
 * Starts services on demand: for a name without an owner that a service file offers. A service
 * manager implements this to start units of its own; {@link SpawnActivator} starts the command of
 * the file.
 */
public interface Activator extends AutoCloseable {
    /** One requested start. Any thread may call its methods, late or twice. */
    interface Start {
        /**
         * Reports that the service did not start. Every caller that waits for it receives the
         * error.
         *
         * @param error the D-Bus name of the error
         * @param text for people
         */
        void failed(String error, String text);
    }

    /**
     * Begins to start a service, and returns at once. Called on the thread of the bus. The start
     * has succeeded when the name has an owner, which the bus notices itself; the bus does not
     * start a service again while a start of it is under way.
     */
    void start(ServiceFile service, Start start);

    /**
     * Adds variables to the environment of services that are started from now on
     * (UpdateActivationEnvironment).
     */
    void setEnvironment(Map<String, String> variables);

    @Override
    void close();
}
