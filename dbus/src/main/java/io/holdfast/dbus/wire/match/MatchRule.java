package io.holdfast.dbus.wire.match;

import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.wire.MessageType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A match rule, which selects messages (D-Bus Specification, "Match Rules"). A message matches if
 * it meets every condition of the rule; the empty rule matches all messages.
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
 * <p>Rules are equal if they have the same conditions, whatever their spelling.
 *
 * @param type one of {@link MessageType}; 0 for any
 * @param sender a unique name, or a well-known name, which stands for its primary owner
 * @param destination a unique or a well-known name
 * @param interfaceName the interface of the call or signal
 * @param member the name of the method or signal
 * @param path the path of the message, exactly
 * @param pathNamespace the path of the message, or a path above it; excludes {@code path}
 * @param arguments conditions on arguments, in the order of their index, each index once
 * @param eavesdrop whether it matches messages that are addressed to others too
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
    /** The greatest length of a rule's text in bytes. */
    public static final int MAX_TEXT = 1024;

    /** The index of the last argument that a rule can test. */
    public static final int MAX_ARGUMENT = 63;

    /** The rule that matches every message. */
    public static final MatchRule ANY = new Builder().build();

    /** How to compare an argument. */
    public enum Test {
        /** The argument is a string that equals the value. */
        EQUAL,
        /**
         * The argument is a string or an object path that equals the value, or one of the two ends
         * in "/" and is a prefix of the other.
         */
        PATH,
        /**
         * The argument is a string that equals the value, or begins with the value and a dot. Only
         * for argument 0.
         */
        NAMESPACE
    }

    /**
     * A condition on one argument.
     *
     * @param index 0 to {@value #MAX_ARGUMENT}
     * @param test how to compare the argument
     * @param value the string to compare it with
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
     * {@return a rule as {@code BecomeMonitor} accepts it, {@code eavesdrop} included}
     *
     * @throws MatchRuleException if the text is no valid rule
     */
    public static MatchRule parse(String text) {
        return new MatchRuleParser(text).parse();
    }

    /**
     * {@return a rule as {@code AddMatch} and {@code RemoveMatch} accept it} A client that wants
     * messages addressed to others must become a monitor; {@code eavesdrop='false'} is accepted.
     *
     * @throws MatchRuleException if the text is no valid rule, or has {@code eavesdrop='true'}
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

    /** Returns a builder of a rule, without conditions. */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns the rule as text for {@link #parse}; equal rules have the same text. */
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
     * Builds a match rule. Every method throws {@link MatchRuleException} for a value that is
     * invalid for its key, for a key that was given before, and for a key that another key
     * excludes. For use by one thread.
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
         * Matches messages of this type.
         *
         * @param value one of {@link MessageType}
         */
        public Builder type(int value) {
            if (MatchRuleParser.typeName(value) == null) {
                throw new MatchRuleException("type: " + value + " is not a message type");
            }
            once("type", type != 0);
            type = value;
            return this;
        }

        /**
         * Matches messages from this sender.
         *
         * @param value a unique name, or a well-known name, which stands for its primary owner
         */
        public Builder sender(String value) {
            once("sender", sender != null);
            sender = valid("sender", value, Syntax.isBusName(value), "a bus name");
            return this;
        }

        /**
         * Matches messages to this destination.
         *
         * @param value a unique or a well-known name
         */
        public Builder destination(String value) {
            once("destination", destination != null);
            destination = valid("destination", value, Syntax.isBusName(value), "a bus name");
            return this;
        }

        /**
         * Matches messages of this interface.
         *
         * @param value the interface of the call or signal
         */
        public Builder interfaceName(String value) {
            once("interface", interfaceName != null);
            interfaceName =
                    valid("interface", value, Syntax.isInterface(value), "an interface name");
            return this;
        }

        /**
         * Matches messages of this method or signal.
         *
         * @param value the name of the method or signal
         */
        public Builder member(String value) {
            once("member", member != null);
            member = valid("member", value, Syntax.isMember(value), "a member name");
            return this;
        }

        /**
         * Matches messages of this object.
         *
         * @param value the path of the message, exactly; excludes {@link #pathNamespace}
         */
        public Builder path(String value) {
            once("path", path != null);
            excluded("path", "path_namespace", pathNamespace != null);
            path = valid("path", value, Syntax.isObjectPath(value), "an object path");
            return this;
        }

        /**
         * Matches messages of this object and of those below it.
         *
         * @param value the path of the message or a path above it, as {@code /org/example};
         *     excludes {@link #path}
         */
        public Builder pathNamespace(String value) {
            once("path_namespace", pathNamespace != null);
            excluded("path_namespace", "path", path != null);
            pathNamespace =
                    valid("path_namespace", value, Syntax.isObjectPath(value), "an object path");
            return this;
        }

        /**
         * Matches messages whose argument {@code index} is the string {@code value}. Each argument
         * can have only one condition.
         *
         * @param index 0 to {@value #MAX_ARGUMENT}
         * @param value the string to compare it with
         */
        public Builder argument(int index, String value) {
            return argument(new Argument(index, Test.EQUAL, value));
        }

        /**
         * Matches messages whose argument {@code index} is a string or an object path that equals
         * {@code value}, or where one of the two ends in "/" and is a prefix of the other.
         *
         * @param index 0 to {@value #MAX_ARGUMENT}
         * @param value the string to compare it with
         */
        public Builder argumentPath(int index, String value) {
            return argument(new Argument(index, Test.PATH, value));
        }

        /**
         * Matches messages whose argument 0 is a string that equals {@code value}, or a name below
         * it.
         *
         * @param value the beginning of a bus name, as {@code org.example}; one element is enough
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
         * Matches messages that are addressed to others, too.
         *
         * @param value whether to match them; false by default. A bus accepts true only from
         *     monitors
         */
        public Builder eavesdrop(boolean value) {
            once("eavesdrop", eavesdrop != null);
            eavesdrop = value;
            return this;
        }

        /** {@return the rule as built so far, its arguments in the order of their index} */
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
