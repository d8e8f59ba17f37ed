package io.holdfast.authority.agent;

/** Names of polkit's authority and agents on the bus. */
final class PolkitNames {
    static final String NAME = "org.freedesktop.PolicyKit1";
    static final String AUTHORITY_PATH = "/org/freedesktop/PolicyKit1/Authority";
    static final String AUTHORITY = "org.freedesktop.PolicyKit1.Authority";
    static final String AGENT_PATH = "/org/freedesktop/PolicyKit1/AuthenticationAgent";
    static final String AGENT = "org.freedesktop.PolicyKit1.AuthenticationAgent";
    static final String CANCELLED = "org.freedesktop.PolicyKit1.Error.Cancelled";
    static final String FAILED = "org.freedesktop.PolicyKit1.Error.Failed";

    private PolkitNames() {}
}
