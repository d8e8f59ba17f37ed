package io.holdfast.bus.config;

/**
 * Reports a configuration or service file that cannot be used. The message is one line: place,
 * element, and the reason.
 */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    public ConfigException(ConfigPlace place, String reason) {
        super(place + ": " + reason);
    }

    public ConfigException(ConfigPlace place, String reason, Throwable cause) {
        super(place + ": " + reason, cause);
    }
}
