/** How to ask an authority, over D-Bus and over Varlink. */
@NullMarked
package io.holdfast.authority.client;

import org.jspecify.annotations.NullMarked;
