/** Holdfast varlink. */
module io.holdfast.varlink {
    requires io.holdfast.core;
    requires tools.jackson.core;
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.varlink;
}
