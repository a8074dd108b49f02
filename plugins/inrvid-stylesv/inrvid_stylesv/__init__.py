"""Parts of StyleSV (ICLR 2023) and StyleInV (ICCV 2023) for inrvid."""
