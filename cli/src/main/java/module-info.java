/** Holdfast cli. */
module io.holdfast.cli {
    requires io.holdfast.core;
    requires io.holdfast.varlink;
    requires io.holdfast.manager;
    requires info.picocli;
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.cli;
}
