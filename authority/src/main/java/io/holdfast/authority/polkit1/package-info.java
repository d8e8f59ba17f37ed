/**
 * The authority's face on D-Bus, {@code org.freedesktop.PolicyKit1}: its methods, peers and agents.
 */
@NullMarked
package io.holdfast.authority.polkit1;

import org.jspecify.annotations.NullMarked;
