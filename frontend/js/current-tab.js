// Where a row of tabs or filters is wider than the screen, it begins with the one that is open in sight.
for (const here of document.querySelectorAll(".tabs > [aria-current], .seg > [aria-current]")) {
  const row = here.parentElement;
  if (row.scrollWidth > row.clientWidth) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}
