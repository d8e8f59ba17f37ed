/** The lines of unit files: all directives of systemd, and the reading of one assignment. */
@NullMarked
package io.holdfast.manager.unit.directive;

import org.jspecify.annotations.NullMarked;
