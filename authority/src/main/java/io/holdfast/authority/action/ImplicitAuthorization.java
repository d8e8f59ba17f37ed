package io.holdfast.authority.action;

import java.util.Optional;

/** What an action's defaults or a rule say of a subject. */
public enum ImplicitAuthorization {
    NO(0, "no"),
    /** After the subject's own user has authenticated. */
    AUTH_SELF(1, "auth_self"),
    /** After an administrator has authenticated. */
    AUTH_ADMIN(2, "auth_admin"),
    /** The same, and it is kept for a while. */
    AUTH_SELF_KEEP(3, "auth_self_keep"),
    AUTH_ADMIN_KEEP(4, "auth_admin_keep"),
    YES(5, "yes");

    private final int code;
    private final String word;

    ImplicitAuthorization(int code, String word) {
        this.code = code;
        this.word = word;
    }

    /** As in policy files, in rules and in {@code polkit.result}. */
    public String word() {
        return word;
    }

    /** As on D-Bus. */
    public int code() {
        return code;
    }

    /** Of a word, exactly as it is written; empty if there is no such. */
    public static Optional<ImplicitAuthorization> ofWord(String word) {
        for (ImplicitAuthorization value : values()) {
            if (value.word.equals(word)) {
                return Optional.of(value);
            }
        }
        return Optional.empty();
    }

    /** Whether somebody has to authenticate. */
    public boolean isChallenge() {
        return this != NO && this != YES;
    }

    /** Whether an administrator has to authenticate. */
    public boolean needsAdministrator() {
        return this == AUTH_ADMIN || this == AUTH_ADMIN_KEEP;
    }

    /** Whether an authentication serves for a while. */
    public boolean isKept() {
        return this == AUTH_SELF_KEEP || this == AUTH_ADMIN_KEEP;
    }

    @Override
    public String toString() {
        return word;
    }
}
