@NullMarked
package io.holdfast.authority.client;

import org.jspecify.annotations.NullMarked;
