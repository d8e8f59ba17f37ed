package io.holdfast.manager.resource;

import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.ResourceDirective;
import java.util.Optional;

/**
 * A value of a file of a cgroup.
 *
 * @param isDefault whether a new cgroup has that value
 * @param directive the directive that sets it; empty if none does
 */
record Attribute(
        Controller controller,
        String file,
        String value,
        boolean isDefault,
        Optional<ResourceDirective> directive) {}
