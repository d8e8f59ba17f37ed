package io.holdfast.authority.subject;

/**
 * Who can authenticate, or owns an action: a user, a group or a netgroup. Its text form is that of
 * rules and of the owner annotation: {@code unix-user:NAME}, where digits are a number.
 */
public sealed interface Identity {
    /**
     * @param nameOrUid as it was written
     */
    record User(String nameOrUid) implements Identity {
        @Override
        public String toString() {
            return "unix-user:" + nameOrUid;
        }
    }

    /**
     * @param nameOrGid as it was written
     */
    record Group(String nameOrGid) implements Identity {
        @Override
        public String toString() {
            return "unix-group:" + nameOrGid;
        }
    }

    /**
     * @param name as it was written
     */
    record Netgroup(String name) implements Identity {
        @Override
        public String toString() {
            return "unix-netgroup:" + name;
        }
    }

    /**
     * Reads the text form.
     *
     * @throws IllegalArgumentException if it is none: another kind, or no name
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
