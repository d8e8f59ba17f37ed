/**
 * The names that this machine knows: of users and groups, of containers and virtual machines. For
 * the modules of Holdfast only.
 */
@NullMarked
package io.holdfast.core.machine;

import org.jspecify.annotations.NullMarked;
