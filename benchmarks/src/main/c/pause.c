/* A process that costs as little memory as one can, and waits to be killed. Linked statically. */
#include <unistd.h>

int main(void) {
    for (;;)
        pause();
}
