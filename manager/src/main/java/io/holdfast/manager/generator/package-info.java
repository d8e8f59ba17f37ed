/** Programs that make unit files and environment variables when a manager reads its unit files. */
@NullMarked
package io.holdfast.manager.generator;

import org.jspecify.annotations.NullMarked;
