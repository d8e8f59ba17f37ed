/**
 * The authority's D-Bus interface, {@code org.freedesktop.PolicyKit1}: its methods, peers and
 * agents.
 */
@NullMarked
package io.holdfast.authority.polkit1;

import org.jspecify.annotations.NullMarked;
