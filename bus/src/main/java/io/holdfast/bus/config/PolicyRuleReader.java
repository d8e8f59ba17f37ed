package io.holdfast.bus.config;

import io.holdfast.bus.config.PolicyRule.ConnectTest;
import io.holdfast.bus.config.PolicyRule.MessageTest;
import io.holdfast.bus.config.PolicyRule.OwnTest;
import io.holdfast.dbus.wire.MessageType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the attributes of {@code <allow>} and {@code <deny>}. */
final class PolicyRuleReader {
    /** The most descriptors that a rule can name. */
    static final int MAX_FDS = 1 << 25;

    private static final List<String> SEND =
            words(
                    "send_destination send_destination_prefix send_interface send_member send_path"
                            + " send_error send_type send_broadcast send_requested_reply");
    private static final List<String> RECEIVE =
            words(
                    "receive_sender receive_interface receive_member receive_path receive_error"
                            + " receive_type receive_requested_reply");
    private static final Set<String> ALONE = Set.of("user", "group", "own", "own_prefix");

    /** Attributes that modify a rule and do not make one alone. */
    private static final Set<String> MODIFIERS = Set.of("min_fds", "max_fds", "log");

    private static List<String> words(String text) {
        return List.of(text.split(" ", -1));
    }

    private final boolean allow;
    private final Map<String, String> attributes;
    private final ConfigPlace place;
    private final String element;

    PolicyRuleReader(boolean allow, Map<String, String> attributes, ConfigPlace place) {
        this.allow = allow;
        this.attributes = new LinkedHashMap<>(attributes);
        this.place = place;
        element = allow ? "<allow>" : "<deny>";
    }

    PolicyRule read() throws ConfigException {
        return new PolicyRule(allow, test(), text(), place);
    }

    private String text() {
        StringBuilder text = new StringBuilder(allow ? "<allow" : "<deny");
        attributes.forEach((key, value) -> text.append(' ' + key + "=\"" + value + "\""));
        return text.append("/>").toString();
    }

    private PolicyRule.Test test() throws ConfigException {
        boolean send = false;
        boolean receive = false;
        String alone = null;
        int kinds = 0;
        for (String key : attributes.keySet()) {
            if (SEND.contains(key)) {
                send = true;
            } else if (RECEIVE.contains(key)) {
                receive = true;
            } else if (ALONE.contains(key)) {
                alone = key;
            } else if (!key.equals("eavesdrop") && !MODIFIERS.contains(key)) {
                throw refuse("no such attribute: " + key);
            }
            kinds += MODIFIERS.contains(key) ? 0 : 1;
        }
        if (kinds == 0) {
            throw refuse("empty rule: one of user, group, own, send_… or receive_… is needed");
        }
        if (send && receive) {
            throw refuse("send_ and receive_ attributes exclude each other");
        }
        if (alone == null) {
            return message(send);
        }
        for (String key : attributes.keySet()) {
            if (!key.equals(alone) && !key.equals("log")) {
                throw refuse(alone + " cannot be combined with " + key);
            }
        }
        String value = attributes.get(alone);
        return switch (alone) {
            case "user" -> new ConnectTest(value, null);
            case "group" -> new ConnectTest(null, value);
            case "own" -> new OwnTest(value("own"), false);
            default -> new OwnTest(value, true);
        };
    }

    private MessageTest message(boolean send) throws ConfigException {
        String side = send ? "send_" : "receive_";
        String member = value(side + "member");
        boolean names = has(side + "interface") || has(side + "member");
        if (has(side + "member") && !has(side + "interface") && !has(side + "path")) {
            throw refuse(
                    side
                            + "member needs "
                            + side
                            + "interface or "
                            + side
                            + "path: members of other interfaces have the same name");
        }
        if (has(side + "error") && names) {
            throw refuse(
                    side
                            + "error cannot be combined with "
                            + side
                            + "interface or "
                            + side
                            + "member");
        }
        if (has("send_destination") && has("send_destination_prefix")) {
            throw refuse("send_destination cannot be combined with send_destination_prefix");
        }
        boolean prefix = has("send_destination_prefix");
        String peer =
                prefix
                        ? attributes.get("send_destination_prefix")
                        : value(send ? "send_destination" : "receive_sender");
        Boolean broadcast = has("send_broadcast") ? truth("send_broadcast", false) : null;
        if (peer != null && !prefix && broadcast != null && broadcast) {
            throw refuse("matches nothing: a broadcast has no destination");
        }
        return new MessageTest(
                send,
                peer,
                prefix,
                value(side + "interface"),
                member,
                value(side + "path"),
                value(side + "error"),
                type(value(side + "type"), side + "type"),
                broadcast,
                truth(side + "requested_reply", allow),
                truth("eavesdrop", false),
                number("min_fds", 0),
                number("max_fds", Integer.MAX_VALUE));
    }

    private boolean has(String key) {
        return attributes.containsKey(key);
    }

    /** Returns null for a missing attribute and for "*": both match anything. */
    private @Nullable String value(String key) {
        String value = attributes.get(key);
        return "*".equals(value) ? null : value;
    }

    private int type(@Nullable String value, String key) throws ConfigException {
        if (value == null) {
            return 0;
        }
        for (int type = MessageType.METHOD_CALL; type <= MessageType.SIGNAL; type++) {
            if (value.equals(MessageType.nameOf(type))) {
                return type;
            }
        }
        throw refuse(
                key + " \"" + value + "\" is none of method_call, method_return, signal, error, *");
    }

    private boolean truth(String key, boolean otherwise) throws ConfigException {
        String value = attributes.get(key);
        if (value == null) {
            return otherwise;
        }
        if (!value.equals("true") && !value.equals("false")) {
            throw refuse(key + " \"" + value + "\" is neither true nor false");
        }
        return value.equals("true");
    }

    private int number(String key, int otherwise) throws ConfigException {
        String value = attributes.get(key);
        if (value == null) {
            return otherwise;
        }
        if (!value.matches("[0-9]{1,8}") || Integer.parseInt(value) > MAX_FDS) {
            throw refuse(key + " \"" + value + "\" is not a number from 0 to " + MAX_FDS);
        }
        return Integer.parseInt(value);
    }

    private ConfigException refuse(String reason) {
        return new ConfigException(place, element + ": " + reason);
    }
}
