/**
 * What this machine knows by name: its users and groups, its containers and virtual machines. For
 * the modules of Holdfast only.
 */
@NullMarked
package io.holdfast.core.machine;

import org.jspecify.annotations.NullMarked;
