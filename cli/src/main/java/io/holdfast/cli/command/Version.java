package io.holdfast.cli.command;

import java.util.Objects;

/** The version of this program, and the JDK and kernel that it runs on. */
public final class Version {
    /** Set by the launcher: the hash of the jars, a dash, the JDK that built them. */
    private static final String BUILD = "holdfast.build";

    private Version() {}

    static String number() {
        var descriptor = Version.class.getModule().getDescriptor();
        return descriptor == null ? "unreleased" : descriptor.rawVersion().orElse("unreleased");
    }

    public static String text() {
        String build = Objects.requireNonNullElse(System.getProperty(BUILD), "unknown");
        int dash = build.indexOf('-');
        return "holdfast "
                + number()
                + " (build "
                + (dash < 0 ? build : build.substring(0, dash))
                + ", JDK "
                + Runtime.version()
                + ", Linux "
                + System.getProperty("os.version")
                + ")";
    }
}
