package io.holdfast.dbus.wire.match;

import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Syntax;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client wants to hear of (D-Bus Specification, "Match Rules"). All that a rule says must be
 * true of a message; a rule that says nothing is true of all.
 *
 * <pre>{@code
 * MatchRule rule = MatchRule.parse("type='signal',interface='org.freedesktop.DBus',arg0='a.b'");
 * MatchRule same = MatchRule.builder()
 *         .type(MessageType.SIGNAL)
 *         .interfaceName("org.freedesktop.DBus")
 *         .argument(0, "a.b")
 *         .build();
 * }</pre>
 *
 * <p>Rules are equal if they say the same, however they were spelled.
 *
 * @param type one of {@link MessageType}; 0 for any
 * @param sender a unique name, or a well-known name whose primary owner is meant
 * @param destination likewise
 * @param interfaceName the interface of the call or signal
 * @param member the name of the method or signal
 * @param path equal to the message's
 * @param pathNamespace the message's path, or one above it; never together with {@code path}
 * @param arguments in order of their index, each index once
 * @param eavesdrop also messages that are addressed to others
 */
public record MatchRule(
        int type,
        @Nullable String sender,
        @Nullable String destination,
        @Nullable String interfaceName,
        @Nullable String member,
        @Nullable String path,
        @Nullable String pathNamespace,
        List<Argument> arguments,
        boolean eavesdrop) {
    /** Bytes of a rule's text. */
    public static final int MAX_TEXT = 1024;

    /** The last argument that a rule can speak of. */
    public static final int MAX_ARGUMENT = 63;

    /** True of every message. */
    public static final MatchRule ANY = new Builder().build();

    /** How an argument is compared. */
    public enum Test {
        /** A string, and equal. */
        EQUAL,
        /**
         * A string or object path, and equal, or one of the two ends in "/" and begins the other.
         */
        PATH,
        /** A string, and equal, or beginning with the value and a dot. Argument 0 only. */
        NAMESPACE
    }

    /**
     * What is said of one argument.
     *
     * @param index 0 to {@value #MAX_ARGUMENT}
     * @param test how the argument is compared
     * @param value the string
     */
    public record Argument(int index, Test test, String value) {
        String key() {
            return switch (test) {
                case EQUAL -> "arg" + index;
                case PATH -> "arg" + index + "path";
                case NAMESPACE -> "arg0namespace";
            };
        }
    }

    /** Copies the arguments. */
    public MatchRule {
        arguments = List.copyOf(arguments);
    }

    /**
     * {@return a rule as {@code BecomeMonitor} takes it, {@code eavesdrop} included}
     *
     * @param text the rule
     * @throws MatchRuleException if it is none
     */
    public static MatchRule parse(String text) {
        return new MatchRuleParser(text).parse();
    }

    /**
     * {@return a rule as {@code AddMatch} and {@code RemoveMatch} take it} Who wants to see what is
     * addressed to others becomes a monitor; {@code eavesdrop='false'} is no such wish and is
     * accepted.
     *
     * @param text the rule
     * @throws MatchRuleException if it is none
     */
    public static MatchRule parseSubscription(String text) {
        MatchRule rule = parse(text);
        if (rule.eavesdrop()) {
            throw new MatchRuleException(
                    "eavesdrop='true' is only for monitors: call"
                            + " org.freedesktop.DBus.Monitoring.BecomeMonitor");
        }
        return rule;
    }

    /**
     * A rule that says nothing yet.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** The rule in text that {@link #parse} reads: each rule has one such text. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        append(text, "type", MatchRuleParser.typeName(type));
        append(text, "sender", sender);
        append(text, "destination", destination);
        append(text, "interface", interfaceName);
        append(text, "member", member);
        append(text, "path", path);
        append(text, "path_namespace", pathNamespace);
        for (Argument argument : arguments) {
            append(text, argument.key(), argument.value());
        }
        append(text, "eavesdrop", eavesdrop ? "true" : null);
        return text.toString();
    }

    private static void append(StringBuilder text, String key, @Nullable String value) {
        if (value != null) {
            text.append(text.isEmpty() ? "" : ",").append(key).append("='");
            text.append(value.replace("'", "'\\''")).append('\'');
        }
    }

    /**
     * Makes a rule, and refuses what no rule can say: every method throws {@link
     * MatchRuleException} for a value that is not of the key's kind, for a key that was given
     * before, and for one that another excludes. For use by one thread.
     */
    public static final class Builder {
        private final List<Argument> arguments = new ArrayList<>();
        private int type;
        private @Nullable String sender;
        private @Nullable String destination;
        private @Nullable String interfaceName;
        private @Nullable String member;
        private @Nullable String path;
        private @Nullable String pathNamespace;
        private @Nullable Boolean eavesdrop;

        Builder() {}

        /**
         * Wants messages of this type.
         *
         * @param value one of {@link MessageType}
         * @return this
         */
        public Builder type(int value) {
            if (MatchRuleParser.typeName(value) == null) {
                throw new MatchRuleException("type: " + value + " is no known message type");
            }
            once("type", type != 0);
            type = value;
            return this;
        }

        /**
         * Wants messages of this sender.
         *
         * @param value a unique name, or a well-known name whose primary owner is meant
         * @return this
         */
        public Builder sender(String value) {
            once("sender", sender != null);
            sender = valid("sender", value, Syntax.isBusName(value), "a bus name");
            return this;
        }

        /**
         * Wants messages to this receiver.
         *
         * @param value a unique or a well-known name
         * @return this
         */
        public Builder destination(String value) {
            once("destination", destination != null);
            destination = valid("destination", value, Syntax.isBusName(value), "a bus name");
            return this;
        }

        /**
         * Wants messages of this interface.
         *
         * @param value the interface of the call or signal
         * @return this
         */
        public Builder interfaceName(String value) {
            once("interface", interfaceName != null);
            interfaceName =
                    valid("interface", value, Syntax.isInterface(value), "an interface name");
            return this;
        }

        /**
         * Wants messages of this method or signal.
         *
         * @param value the name of the method or signal
         * @return this
         */
        public Builder member(String value) {
            once("member", member != null);
            member = valid("member", value, Syntax.isMember(value), "a member name");
            return this;
        }

        /**
         * Wants messages of this object.
         *
         * @param value the path of the message, exactly; excludes {@link #pathNamespace}
         * @return this
         */
        public Builder path(String value) {
            once("path", path != null);
            excluded("path", "path_namespace", pathNamespace != null);
            path = valid("path", value, Syntax.isObjectPath(value), "an object path");
            return this;
        }

        /**
         * Wants messages of this object and those below it.
         *
         * @param value the path of the message or one above it, as {@code /org/example}; excludes
         *     {@link #path}
         * @return this
         */
        public Builder pathNamespace(String value) {
            once("path_namespace", pathNamespace != null);
            excluded("path_namespace", "path", path != null);
            pathNamespace =
                    valid("path_namespace", value, Syntax.isObjectPath(value), "an object path");
            return this;
        }

        /**
         * Argument {@code index} is the string {@code value}. Of each argument one thing can be
         * said.
         *
         * @param index 0 to {@value #MAX_ARGUMENT}
         * @param value the string
         * @return this
         */
        public Builder argument(int index, String value) {
            return argument(new Argument(index, Test.EQUAL, value));
        }

        /**
         * Argument {@code index} is a string or object path, and equal to {@code value}, or one of
         * the two ends in "/" and begins the other.
         *
         * @param index 0 to {@value #MAX_ARGUMENT}
         * @param value the string
         * @return this
         */
        public Builder argumentPath(int index, String value) {
            return argument(new Argument(index, Test.PATH, value));
        }

        /**
         * Argument 0 is a string, and {@code value} or a name below it.
         *
         * @param value the beginning of a bus name, as {@code org.example}; one element is enough
         * @return this
         */
        public Builder argument0Namespace(String value) {
            return argument(
                    new Argument(
                            0,
                            Test.NAMESPACE,
                            valid(
                                    "arg0namespace",
                                    value,
                                    Syntax.isNamespace(value) || Syntax.isUniqueName(value),
                                    "the beginning of a bus name")));
        }

        /**
         * Wants messages that are addressed to others, too.
         *
         * @param value whether also messages that are addressed to others; false by default. A bus
         *     takes true from monitors only
         * @return this
         */
        public Builder eavesdrop(boolean value) {
            once("eavesdrop", eavesdrop != null);
            eavesdrop = value;
            return this;
        }

        /** {@return the rule as given so far, its arguments in order of their index} */
        public MatchRule build() {
            arguments.sort(Comparator.comparingInt(Argument::index));
            return new MatchRule(
                    type,
                    sender,
                    destination,
                    interfaceName,
                    member,
                    path,
                    pathNamespace,
                    arguments,
                    eavesdrop != null && eavesdrop);
        }

        private Builder argument(Argument added) {
            if (added.index() < 0 || added.index() > MAX_ARGUMENT) {
                throw new MatchRuleException(
                        added.key() + ": arguments are numbered 0 to " + MAX_ARGUMENT);
            }
            for (Argument argument : arguments) {
                if (argument.index() == added.index()) {
                    once(added.key(), argument.test() == added.test());
                    excluded(added.key(), argument.key(), true);
                }
            }
            arguments.add(added);
            return this;
        }

        private static String valid(String key, String value, boolean valid, String kind) {
            if (!valid) {
                throw new MatchRuleException(key + ": '" + value + "' is not " + kind);
            }
            return value;
        }

        private static void once(String key, boolean given) {
            if (given) {
                throw new MatchRuleException(key + " is given twice");
            }
        }

        private static void excluded(String key, String other, boolean given) {
            if (given) {
                throw new MatchRuleException(key + " and " + other + " exclude each other");
            }
        }
    }
}
