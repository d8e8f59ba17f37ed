package io.holdfast.authority.action;

import java.util.Optional;

/** The authorization of a subject by an action's defaults or by a rule (polkit(8)). */
public enum ImplicitAuthorization {
    NO(0, "no"),
    /** Authorized after the subject's own user has authenticated. */
    AUTH_SELF(1, "auth_self"),
    /** Authorized after an administrator has authenticated. */
    AUTH_ADMIN(2, "auth_admin"),
    /** As {@link #AUTH_SELF}, with a temporary authorization. */
    AUTH_SELF_KEEP(3, "auth_self_keep"),
    /** As {@link #AUTH_ADMIN}, with a temporary authorization. */
    AUTH_ADMIN_KEEP(4, "auth_admin_keep"),
    YES(5, "yes");

    private final int code;
    private final String word;

    ImplicitAuthorization(int code, String word) {
        this.code = code;
        this.word = word;
    }

    /** Returns its word in policy files, in rules and in {@code polkit.result}. */
    public String word() {
        return word;
    }

    /** Returns its number on D-Bus. */
    public int code() {
        return code;
    }

    /** Finds the value of a word, which must match exactly. */
    public static Optional<ImplicitAuthorization> ofWord(String word) {
        for (ImplicitAuthorization value : values()) {
            if (value.word.equals(word)) {
                return Optional.of(value);
            }
        }
        return Optional.empty();
    }

    /** Returns whether a user has to authenticate. */
    public boolean isChallenge() {
        return this != NO && this != YES;
    }

    /** Returns whether an administrator has to authenticate. */
    public boolean needsAdministrator() {
        return this == AUTH_ADMIN || this == AUTH_ADMIN_KEEP;
    }

    /** Returns whether an authentication adds a temporary authorization. */
    public boolean isKept() {
        return this == AUTH_SELF_KEEP || this == AUTH_ADMIN_KEEP;
    }

    @Override
    public String toString() {
        return word;
    }
}
