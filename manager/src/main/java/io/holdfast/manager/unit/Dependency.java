package io.holdfast.manager.unit;

import java.util.Optional;

/** The kinds of dependencies between units. */
public enum Dependency {
    REQUIRES("Requires"),
    REQUISITE("Requisite"),
    WANTS("Wants"),
    BINDS_TO("BindsTo"),
    PART_OF("PartOf"),
    UPHOLDS("Upholds"),
    CONFLICTS("Conflicts"),
    BEFORE("Before"),
    AFTER("After"),
    ON_SUCCESS("OnSuccess"),
    ON_FAILURE("OnFailure"),
    PROPAGATES_RELOAD_TO("PropagatesReloadTo"),
    RELOAD_PROPAGATED_FROM("ReloadPropagatedFrom"),
    PROPAGATES_STOP_TO("PropagatesStopTo"),
    STOP_PROPAGATED_FROM("StopPropagatedFrom"),
    JOINS_NAMESPACE_OF("JoinsNamespaceOf");

    private final String directive;

    Dependency(String directive) {
        this.directive = directive;
    }

    /** {@return the name of its directive: {@code Requires}} */
    public String directive() {
        return directive;
    }

    /** Returns the dependency of a directive, also for its former names. */
    public static Optional<Dependency> ofDirective(String key) {
        String name =
                switch (key) {
                    case "BindTo" -> "BindsTo";
                    case "PropagateReloadTo" -> "PropagatesReloadTo";
                    case "PropagateReloadFrom" -> "ReloadPropagatedFrom";
                    case "RequiresOverridable" -> "Requires";
                    case "RequisiteOverridable" -> "Requisite";
                    default -> key;
                };
        for (Dependency dependency : values()) {
            if (dependency.directive.equals(name)) {
                return Optional.of(dependency);
            }
        }
        return Optional.empty();
    }
}
