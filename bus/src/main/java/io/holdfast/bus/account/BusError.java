package io.holdfast.bus.account;

/** The errors that the bus itself sends. */
public enum BusError {
    ACCESS_DENIED("AccessDenied"),
    ADT_AUDIT_DATA_UNKNOWN("AdtAuditDataUnknown"),
    FAILED("Failed"),
    INVALID_ARGS("InvalidArgs"),
    LIMITS_EXCEEDED("LimitsExceeded"),
    MATCH_RULE_INVALID("MatchRuleInvalid"),
    MATCH_RULE_NOT_FOUND("MatchRuleNotFound"),
    NAME_HAS_NO_OWNER("NameHasNoOwner"),
    NO_REPLY("NoReply"),
    NOT_CONTAINER("NotContainer"),
    NOT_SUPPORTED("NotSupported"),
    PROPERTY_READ_ONLY("PropertyReadOnly"),
    SELINUX_SECURITY_CONTEXT_UNKNOWN("SELinuxSecurityContextUnknown"),
    SERVICE_UNKNOWN("ServiceUnknown"),
    SPAWN_CHILD_EXITED("Spawn.ChildExited"),
    SPAWN_CHILD_SIGNALED("Spawn.ChildSignaled"),
    SPAWN_EXEC_FAILED("Spawn.ExecFailed"),
    SPAWN_SERVICE_NOT_VALID("Spawn.ServiceNotValid"),
    TIMED_OUT("TimedOut"),
    UNIX_PROCESS_ID_UNKNOWN("UnixProcessIdUnknown"),
    UNKNOWN_INTERFACE("UnknownInterface"),
    UNKNOWN_METHOD("UnknownMethod"),
    UNKNOWN_PROPERTY("UnknownProperty");

    private static final String PREFIX = "org.freedesktop.DBus.Error.";

    private final String shortName;
    private final String wireName;

    BusError(String name) {
        shortName = name;
        wireName = PREFIX + name;
    }

    /** Returns the error's name without the prefix that all of them share. */
    String shortName() {
        return shortName;
    }

    /**
     * Returns whether the error is logged: refusals by policy and by limits, which an administrator
     * wants explained.
     */
    public boolean isForLog() {
        return this == ACCESS_DENIED || this == LIMITS_EXCEEDED;
    }

    public String wireName() {
        return wireName;
    }
}
