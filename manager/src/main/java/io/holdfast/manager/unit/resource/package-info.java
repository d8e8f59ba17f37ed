/** The directives of systemd.resource-control(5): their table, their values, and their reader. */
@NullMarked
package io.holdfast.manager.unit.resource;

import org.jspecify.annotations.NullMarked;
