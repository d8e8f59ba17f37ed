package io.holdfast.authority.subject;

/**
 * A user, group or netgroup that can authenticate or owns an action. Its text form is that of rules
 * and of the owner annotation, such as {@code unix-user:NAME}; a name of digits is a number.
 */
public sealed interface Identity {
    /**
     * A user.
     *
     * @param nameOrUid as it was written
     */
    record User(String nameOrUid) implements Identity {
        @Override
        public String toString() {
            return "unix-user:" + nameOrUid;
        }
    }

    /**
     * A group.
     *
     * @param nameOrGid as it was written
     */
    record Group(String nameOrGid) implements Identity {
        @Override
        public String toString() {
            return "unix-group:" + nameOrGid;
        }
    }

    /**
     * A netgroup.
     *
     * @param name as it was written
     */
    record Netgroup(String name) implements Identity {
        @Override
        public String toString() {
            return "unix-netgroup:" + name;
        }
    }

    /**
     * Parses the text form.
     *
     * @throws IllegalArgumentException if the kind is unknown or the name is empty
     */
    static Identity parse(String text) {
        int colon = text.indexOf(':');
        String name = text.substring(colon + 1);
        if (colon < 0 || name.isEmpty()) {
            throw new IllegalArgumentException("not an identity: \"" + text + "\"");
        }
        return switch (text.substring(0, colon)) {
            case "unix-user" -> new User(name);
            case "unix-group" -> new Group(name);
            case "unix-netgroup" -> new Netgroup(name);
            default -> throw new IllegalArgumentException("not an identity: \"" + text + "\"");
        };
    }
}
