/** One line of a unit file: every directive that systemd knows, and an assignment that is read. */
@NullMarked
package io.holdfast.manager.unit.directive;

import org.jspecify.annotations.NullMarked;
