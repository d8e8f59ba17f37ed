package io.holdfast.authority.agent;

import com.google.errorprone.annotations.CheckReturnValue;
import java.util.List;
import java.util.function.Consumer;

/** The options of an agent. Immutable. */
@CheckReturnValue
public final class AgentOptions implements Cloneable {
    private static final AgentOptions STANDARD = new AgentOptions();

    // Changed only by with(), before anybody else sees the object.
    private boolean fallback;
    private String locale = "C";
    private List<HelperAddress> helpers = HelperAddress.KNOWN;
    private int attempts = 3;
    private int dialogs = 16;

    private AgentOptions() {}

    /**
     * Returns the defaults: no fallback, locale C, the known helpers, three attempts, 16 dialogs.
     */
    public static AgentOptions standard() {
        return STANDARD;
    }

    /** {@return whether the agent is used only if there is no other} */
    public boolean fallback() {
        return fallback;
    }

    /**
     * @param last whether the agent is used only if there is no other; false by default
     */
    public AgentOptions withFallback(boolean last) {
        return with(options -> options.fallback = last);
    }

    /** {@return the locale of the texts} */
    public String locale() {
        return locale;
    }

    /**
     * @param name the locale of the texts, as in {@code LANG}: {@code de_AT.UTF-8}; {@code C} by
     *     default
     */
    public AgentOptions withLocale(String name) {
        return with(options -> options.locale = name);
    }

    /** {@return the addresses of helpers, tried in turn} */
    public List<HelperAddress> helpers() {
        return helpers;
    }

    /**
     * @param addresses of helpers, tried in turn; {@link HelperAddress#KNOWN} by default
     */
    public AgentOptions withHelpers(List<HelperAddress> addresses) {
        List<HelperAddress> copy = List.copyOf(addresses);
        return with(options -> options.helpers = copy);
    }

    /** {@return the maximum number of attempts in one dialog} */
    public int attempts() {
        return attempts;
    }

    /**
     * @param number the maximum number of attempts in one dialog, at least 1; 3 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public AgentOptions withAttempts(int number) {
        positive("attempts", number);
        return with(options -> options.attempts = number);
    }

    /** {@return the maximum number of dialogs that are shown or wait} */
    public int dialogs() {
        return dialogs;
    }

    /**
     * @param number the maximum number of dialogs under way, of which one is shown and the others
     *     wait, at least 1; 16 by default. Further ones are refused
     * @throws IllegalArgumentException if it is not positive
     */
    public AgentOptions withDialogs(int number) {
        positive("dialogs", number);
        return with(options -> options.dialogs = number);
    }

    private static void positive(String what, int number) {
        if (number < 1) {
            throw new IllegalArgumentException(what + " must be positive, not " + number);
        }
    }

    private AgentOptions with(Consumer<AgentOptions> change) {
        try {
            AgentOptions copy = (AgentOptions) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
