#include "c-library.h"
