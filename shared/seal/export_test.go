package seal

// Mask is mask, of a copy.
func Mask(number string) string {
	masked := []byte(number)
	mask(masked)
	return string(masked)
}
